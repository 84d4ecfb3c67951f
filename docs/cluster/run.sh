#!/bin/bash
# Runs the cluster of README.md on one computer with Linux, from the files next to this one: machine a is 127.0.0.11,
# b is 127.0.0.12, c is 127.0.0.13. What is killed comes back after a few seconds, as systemd would have it. Ctrl-C ends
# everything and removes what was written.
#
# Usage: run.sh PARLEY-SERVER [PORT]
set -eu
server=$(realpath "$1") port=${2:-8000}
files=$(realpath "$(dirname "$0")")

missing=
for program in etcd patroni haproxy curl psql openssl; do command -v $program >/dev/null || missing="$missing $program"; done
[ -z "$missing" ] || { echo "This needs$missing: apt install etcd-server patroni haproxy curl postgresql openssl"; exit 1; }

# Otherwise that program would answer in place of the one here.
for at in 127.0.0.1{1,2}:8000 127.0.0.1:$port 127.0.0.1{1,2,3}:{2379,2380,5432,8008}; do
    if (exec 3<>"/dev/tcp/${at/://}") 2>/dev/null; then
        echo "Another program listens at $at: stop it first.$([ "$at" != "127.0.0.1:$port" ] || echo " Or take another port: make cluster ARGS=8080")"
        exit 1
    fi
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/parley-cluster.XXXXXX")
cd "$dir"
trap 'rm -rf "$dir"' EXIT # until there are programs to end
trap exit INT TERM HUP

# PostgreSQL refuses to run as root. Everything ends with this script, however it ends.
as=(setpriv --pdeathsig TERM)
[ "$(id -u)" != 0 ] || as+=(--reuid postgres --regid postgres --init-groups)

# Loopback connections to any of these addresses come from 127.0.0.1.
"$files/certificates.sh" a=127.0.0.11,127.0.0.1 b=127.0.0.12,127.0.0.1 c=127.0.0.13,127.0.0.1 >certificates.log 2>&1 ||
    { cat certificates.log; exit 1; }

# For machine $1, with the address $2, the configurations of machine a.
configure() {
    mkdir -m 700 "$1"
    cp ca.crt "$1"
    mv "$1.crt" "$1/machine.crt"
    mv "$1.key" "$1/machine.key"
    sed "s/^ETCD_NAME=a/ETCD_NAME=$1/; /INITIAL_CLUSTER=/! s/10\.0\.0\.11/$2/; s/10\.0\.0\./127.0.0./g
        s#/etc/ssl/parley#$dir/$1#" "$files/etcd.env" >"$1/etcd.env"
    sed "s/^name: a/name: $1/; /hosts:/! s/10\.0\.0\.11/$2/; s/10\.0\.0\./127.0.0./g
        s#/var/run/postgresql#$dir/$1#; s#/var/lib/postgresql/15#$dir/$1#; s#/var/lib/postgresql#$dir/$1#; s#/etc/ssl/parley#$dir/$1#" "$files/patroni.yml" >"$1/patroni.yml"
    sed "s/10\.0\.0\.10/127.0.0.1/; s/10\.0\.0\./127.0.0./g; s#/etc/ssl/parley#$dir/$1#" "$files/parley.env" >"$1/parley.env"
    chmod 600 "$1"/*
}
configure a 127.0.0.11
configure b 127.0.0.12
configure c 127.0.0.13
sed "s/bind .*/bind 127.0.0.1:$port/; /X-Forwarded-Proto/d; s/10\.0\.0\./127.0.0./" "$files/haproxy.cfg" >haproxy.cfg
[ "$(id -u)" != 0 ] || chown -R postgres: "$dir"

declare -A pids addresses=([a]=127.0.0.11 [b]=127.0.0.12 [c]=127.0.0.13)
# Starts a program, like "parley a", as its service would.
start() {
    local m=${2:-}
    case $1 in
        etcd) run=(env $(grep -v '^#' "$m/etcd.env") ETCD_DATA_DIR="$dir/$m/etcd" etcd) ;;
        patroni) run=(patroni "$m/patroni.yml") ;;
        parley) run=(env $(grep -v '^#' "$m/parley.env") "$dir/parley-server" --addr "${addresses[$m]}:8000" --data "$dir/$m/marks") ;;
        haproxy) run=(haproxy -db -f haproxy.cfg) ;;
    esac
    HOME=$dir TMPDIR=$dir setsid "${as[@]}" "${run[@]}" >>"$1${m:+-$m}.log" 2>&1 &
    pids[$*]=$!
}

# Ends the programs with a name, and what they have begun, by a signal, and waits for them.
stop() {
    local name pid ending=()
    for name in "${!pids[@]}"; do
        pid=${pids[$name]}
        [[ $name == $1* ]] || continue
        kill "-$2" -- "-$pid" 2>/dev/null || kill "-$2" "$pid" 2>/dev/null || continue # until setsid, it has no group
        ending+=("$pid")
    done
    [ ${#ending[@]} = 0 ] || wait "${ending[@]}" 2>/dev/null || true
}
finish() {
    trap "" INT TERM HUP
    exec 2>/dev/null # what bash says of killed programs
    echo "Stopping."
    stop haproxy TERM
    stop parley TERM
    stop patroni KILL # otherwise it looks for another primary first
    for m in a b c; do
        "${as[@]}" /usr/lib/postgresql/15/bin/pg_ctl stop -s -m immediate -D "$m/parley" 2>/dev/null || true
    done
    stop etcd TERM
    rm -rf "$dir"
}
trap finish EXIT

# Starts what has ended, and says so in again.
again=
revive() {
    again=
    for name in "${!pids[@]}"; do
        kill -0 "${pids[$name]}" 2>/dev/null || { start $name; again="$again $name,"; }
    done
}

# Waits until an address answers.
await() {
    local end=$((SECONDS + 120))
    until curl -fso /dev/null "$1"; do
        [ $SECONDS -lt $end ] || { echo "$1 does not answer."; tail -n 20 ./*.log; exit 1; }
        sleep 1 & wait $!
        revive # a server gives up at first if the database is not ready
    done
}
cp "$server" parley-server
echo "Starting etcd and PostgreSQL."
for m in a b c; do start etcd $m; done
for m in a b c; do start patroni $m; done
all=127.0.0.11,127.0.0.12,127.0.0.13
sql() {
    PGPASSWORD=CHANGE-ME-1 PGCONNECT_TIMEOUT=1 psql -qX "host=$all user=postgres dbname=postgres target_session_attrs=read-write sslmode=verify-full sslrootcert=ca.crt" -c "$1" >>psql.log 2>&1
}
until sql "SELECT"; do
    [ $SECONDS -lt 120 ] || { echo "PostgreSQL does not start:"; tail -n 5 ./*.log; exit 1; }
    sleep 0.5 & wait $!
done
sql "CREATE ROLE parley LOGIN PASSWORD 'CHANGE-ME-3'"
sql "CREATE DATABASE parley OWNER parley"
sql "REVOKE CONNECT ON DATABASE parley FROM PUBLIC"
echo "Starting Parley and HAProxy."
start parley a
start parley b
start haproxy
await http://127.0.0.11:8000/readyz
await http://127.0.0.12:8000/readyz
await "http://127.0.0.1:$port/readyz"

# Says how to kill the PostgreSQL that is written to, if one is.
primary() {
    local m pid
    for m in a b c; do
        pid=$(head -n 1 "$m/parley/postmaster.pid" 2>/dev/null) || continue
        if kill -0 "$pid" 2>/dev/null && curl -fso /dev/null --cacert ca.crt "https://${addresses[$m]}:8008/primary"; then
            echo "kill -9 $pid    # the PostgreSQL that is written to, of machine $m"
        fi
    done
}
# Says what there is to kill.
told=
tell() {
    echo
    for name in "${!pids[@]}"; do echo "kill -9 ${pids[$name]}    # $name"; done | sort -k 5
    told=$(primary)
    echo "${told:-# No PostgreSQL is written to now.}"
    echo
}
tell
echo "Parley is at http://localhost:$port, its logs in $dir. Ctrl-C ends everything."
exec 2>/dev/null # what bash says of killed programs
while sleep 5 & wait $!; do
    revive
    if [ -n "$again" ]; then
        echo "Started again:${again%,}."
        tell
    else
        now=$(primary)
        [ -z "$now" ] || [ "$now" = "$told" ] || { echo "Another PostgreSQL is written to now."; tell; }
    fi
done
