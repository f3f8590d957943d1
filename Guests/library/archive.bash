# Debian's archive, as this machine's own apt knows it: packages are fetched under a private apt state and unpacked into
# trees of the cache; nothing is installed, nothing of the machine is changed, no root is needed.
# Sourced by prepare; the layout of the cache is here for all that use it.
# shellcheck shell=bash disable=SC2034

cache=${DOORBELL_GUESTS:-${XDG_CACHE_HOME:-$HOME/.cache}/doorbell-guests}
tree=$cache/tree
apt_state=$cache/apt

# The tree's own loader and libraries, so that a newer Debian's programs run on an older one.
loader=$tree/usr/lib64/ld-linux-x86-64.so.2
libraries=$tree/usr/lib/x86_64-linux-gnu

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# cannot REASON...: this machine lacks what is needed, which is no failure of what is tested.
cannot() {
    say "cannot run here: $*"
    exit 77
}

# fetched PROGRAM [ARGUMENT]...: runs a program of the tree, by its path in the tree.
fetched() {
    local program=$1
    shift
    "$loader" --library-path "$libraries:$libraries/systemd" --argv0 "${program##*/}" "$tree/$program" "$@"
}

# become_fetched PROGRAM [ARGUMENT]...: the same in place of this shell, so that `become_fetched … &` has the process id of
# the program itself, to end it by.
become_fetched() {
    local program=$1
    shift
    exec "$loader" --library-path "$libraries:$libraries/systemd" --argv0 "${program##*/}" "$tree/$program" "$@"
}

# The mirror of the machine's own release, without its update and security suites.
mirror() {
    # shellcheck disable=SC2016 # apt expands the names
    apt-get indextargets --no-release-info --format '$(COMPONENT) $(RELEASE) $(REPO_URI)' 'Identifier: Packages' |
        awk '$1 == "main" && $2 !~ /-/ { print $3; exit }'
}

# One process at a time may change the cache.
lock_cache() {
    mkdir -p "$cache"
    exec 9> "$cache/lock"
    flock 9
}

# private_apt apt-get|apt-cache ARGUMENT...: with lists of its own, a machine that has nothing installed, and no package
# forced in because it is essential.
private_apt() {
    "$@" -qq -o Dir::State="$apt_state/state" -o Dir::State::status="$apt_state/status" \
        -o Dir::Cache="$apt_state/cache" -o Dir::Etc="$apt_state/etc" \
        -o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User= \
        -o APT::Install-Recommends=false -o pkgCacheGen::Essential=none \
        -o Acquire::Retries=3 -o Acquire::http::Timeout=30
}

update_lists() {
    local uri keyring='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
    uri=${DOORBELL_MIRROR:-$(mirror)}
    [[ $uri ]] || cannot "no Debian release among the sources of apt"
    say "reading the package lists of trixie and trixie-backports"
    mkdir -p "$apt_state"/{etc/preferences.d,state/lists/partial,cache/archives/partial}
    printf 'deb %s %s %s main\n' "$keyring" "$uri" trixie "$keyring" "$uri" trixie-backports \
        > "$apt_state/etc/sources.list"
    : > "$apt_state/status"
    private_apt apt-get update || cannot "the archive did not answer"
}

# unpack DIRECTORY SUITE PACKAGE...: makes DIRECTORY a tree of these packages and all that they depend on, unpacked but
# not configured.
unpack() {
    local into=$1 suite=$2 archives=$apt_state/cache/archives directory package
    shift 2
    rm -rf "$into" "$archives"
    mkdir -p "$into"/usr/{bin,sbin,lib,lib64} "$archives/partial"
    for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$into/$directory"; done
    private_apt apt-get install --yes --download-only -t "$suite" "$@" || cannot "the archive did not give $*"
    for package in "$archives"/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x --no-same-owner --keep-directory-symlink -C "$into"
    done
    rm -rf "$archives"
}
