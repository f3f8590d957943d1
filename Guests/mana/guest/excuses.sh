#!/bin/dash
# What the kernel's driver tests ask of a card that mana has no way to do. Read by kernel-tests.sh.

# Tests of long frames with XDP, which mana does not take.
allow_log 'XDP: mtu:[0-9]* too large'

# excuse NAME: what mana cannot do, if that is why this result failed, by what the test said of it.
excuse() {
    case $1 in
        irq.check_irqs_reported) may_be "Check failed 0 < 1" "mana does not tell its interrupts by NAPI" ;;
        xdp.*) may_be "mana: XDP: mtu too large" "mana has XDP for frames that fit a page" ;;
        rss_ctx.test_rss_resize) may_be "Table imbalance" "mana makes a new table when the number of queues changes" ;;
        rss_api.*)
            may_be "Cannot get RX network flow hashing options" "mana does not tell what it hashes"
            may_be "KeyError: 'flow-hash'" "mana does not tell what it hashes"
            ;;
    esac
    case $(uname -r) in
        6.12.*)
            case $1 in
                queues.check_xsk) may_be "xsk attr on queue" "6.12 does not tell of AF_XDP by queue" ;;
                rss_api.*)
                    may_be "KeyError: 'hkey'" "6.12 has no RSS by netlink"
                    may_be "Operation not supported" "6.12 has no RSS by netlink"
                    may_be "No notification received" "6.12 has no RSS by netlink"
                    ;;
                rss_ctx.*)
                    may_be "KeyError: 'rss-hash-key'" "mana of 6.12 does not tell its key"
                    may_be "Netlink error: Operation not supported" "mana of 6.12 does not tell its key"
                    ;;
            esac
            ;;
    esac
}
