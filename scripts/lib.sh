# SPDX-License-Identifier: MIT
# Shared by ./dev and the scripts: messages, packages, building a flavour. Sourced, not run.

say() { printf '== %s\n' "$*"; }
die() { local rc=$1; shift; printf 'dev: %s\n' "$*" >&2; exit "$rc"; }

jobs_count() { nproc 2>/dev/null || echo 2; }

# probe_ok PROBE: is the thing there? (scripts/packages.txt explains the probes)
probe_ok() {
    case $1 in
    cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    deb:*)
        ! command -v dpkg-query >/dev/null 2>&1 ||
            dpkg-query -W -f '${Status}' "${1#deb:}" 2>/dev/null | grep -q 'install ok installed'
        ;;
    *) die 2 "scripts/packages.txt: unknown probe '$1'; use cmd:, pc: or deb:." ;;
    esac
}

# missing_packages GROUP...: the packages of these groups whose probe fails, one a line.
missing_packages() {
    local wanted=" $* " group package probe reason
    while read -r group package probe reason; do
        case $group in '' | '#'*) continue ;; esac
        case $wanted in *" $group "*) probe_ok "$probe" || echo "$package" ;; esac
    done <"$TOP/scripts/packages.txt"
}

# need_packages GROUP...: installs what is missing, or says in one sentence what to install.
need_packages() {
    local missing=() as_root=() still
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] && return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        die 3 "these packages are missing: ${missing[*]}. Install them (the names are Debian's) and run this again."
    fi
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null ||
            die 3 "these packages are missing: ${missing[*]}. Run 'sudo apt-get install ${missing[*]}' and run this again."
        as_root=(sudo -n)
    fi
    say "installing ${missing[*]}"
    apt_install() {
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
            --no-install-recommends "${missing[@]}" </dev/null
    }
    # A machine whose package lists are missing or old needs the update first.
    apt_install >/dev/null 2>&1 ||
        { "${as_root[@]}" apt-get update -q </dev/null && apt_install; } ||
        die 3 "apt-get could not install ${missing[*]} (its messages are above). Install them by hand and run this again."
    still=$(missing_packages "$@" | tr '\n' ' ')
    [ -z "$still" ] ||
        die 3 "apt-get succeeded but these are still not found: $still. Look at scripts/packages.txt for how each is looked for."
}

# configure FLAVOUR [CMAKE-ARGUMENT...]: once per build directory.
configure() {
    local flavour=$1 log
    shift
    [ -f "$TOP/build/$flavour/build.ninja" ] && [ $# -eq 0 ] && return 0
    mkdir -p "$TOP/build"
    log=$TOP/build/configure-$flavour.log
    (cd "$TOP" && cmake --preset "$flavour" "$@") >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die 1 "configuring build/$flavour failed (full log: build/configure-$flavour.log). If an old build directory is in the way, remove build/$flavour and run this again."
    }
}

# build_flavour FLAVOUR [TARGET...]
build_flavour() {
    local flavour=$1
    shift
    configure "$flavour"
    say "building build/$flavour"
    cmake --build "$TOP/build/$flavour" --parallel "$(jobs_count)" ${1:+--target "$@"}
}

# test_flavour FLAVOUR CTEST-ARGUMENT...: CTest's closing lines are the last lines printed.
test_flavour() {
    local flavour=$1
    shift
    ctest --test-dir "$TOP/build/$flavour" --output-on-failure -j "$(jobs_count)" "$@"
}
