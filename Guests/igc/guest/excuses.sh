#!/bin/dash
# What the kernel's driver tests ask of a card that igc has no way to do, and what it says meanwhile. Read by
# kernel-tests.sh.

# igc says so when the ports are put in.
allow_log 'Enabling UDP RSS: fragmented packets may arrive out of order'
# Tests that change rings and channels take the link down under traffic: igc_watchdog_task resets a card that then has
# frames queued.
allow_log 'eth0: Reset adapter'

# excuse NAME TEXT: what Linux's igc cannot do, if that is why this result failed, by what the test said of it; or what
# software emulation cannot. Nothing else is excused.
excuse() {
    case $1 in
        irq.check_reconfig_queues) may_be "affinity changed" "igc frees its vectors, and their affinity, to change channels" ;;
        rss_ctx.test_rss_resize) may_be "Table imbalance" "igc makes a new table when the number of queues changes" ;;
        rss_api.test_rxfh_fields_*) may_be "Invalid argument" "igc takes few choices of hash fields" ;;
        stats.check_pause) may_be "driver does not report stats" "igc counts no pause frames for ethtool" ;;
        ring_reconfig.ringparam) may_be "Check failed 64 != 0" "igc takes no ring below 64, and says nothing of it" ;;
        xdp.*)
            may_be "igc: Jumbo frames not supported" "igc has XDP for standard frames only"
            ;;
        "force of different speeds autoneg off")
            # At each end of our wire is a partner that takes any speed, as a switch between would be.
            may_be "ping with different speeds" "our wire is no cable that two cards must agree on"
            ;;
        "force speed "*) may_be "error in configuration. eth0 speed" "this igc forces 10 and 100 Mb/s only" ;;
        ethtool_rmon.) may_be "does not support rx histogram counters" "this igc has no size histograms" ;;
        rss_flow_label.*) may_be "support Flow Label" "igc does not hash flow labels" ;;
    esac
    case $(uname -r) in
        6.12.*)
            case $1 in
                irq.check_irqs_reported) may_be "Check failed 0 < 1" "igc of 6.12 does not tell its interrupts by NAPI" ;;
                queues.check_xsk) may_be "xsk attr on queue" "6.12 does not tell of AF_XDP by queue" ;;
                toeplitz.*)
                    may_be "RSS key not available" "igc of 6.12 does not tell its key"
                    may_be "KeyError: 'napi-id'" "igc of 6.12 does not tell its interrupts by NAPI"
                    ;;
                rss_ctx.test_hitless_key_update) may_be "KeyError: 'rss-hash-key'" "igc of 6.12 does not tell its key" ;;
                rss_ctx.test_flow_add_context_missing) may_be "Operation not supported" "igc of 6.12 has one RSS context only" ;;
                rss_api.*)
                    may_be "KeyError: 'flow-hash'" "6.12 has no RSS by netlink"
                    may_be "KeyError: 'hkey'" "6.12 has no RSS by netlink"
                    may_be "Operation not supported" "6.12 has no RSS by netlink"
                    may_be "No notification received" "6.12 has no RSS by netlink"
                    ;;
            esac
            ;;
    esac
}
