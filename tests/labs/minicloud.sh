#!/usr/bin/env bash
#
# minicloud.sh - a real OpenStack control plane on one small machine, for tests.
#
# Everything is the released code, except the hypervisor:
#
#   keystone, glance, placement, neutron, nova-api   the APIs, one process each
#   nova-conductor, nova-scheduler                   one worker each
#   nova-compute, N of them                          each a host of its own
#                                                    (compute1, compute2, ...)
#                                                    with nova's "fake" virt driver
#   MariaDB, RabbitMQ                                what the services stand on
#
# Servers booted here go through the real API, scheduler, placement and
# conductor, and become ACTIVE; only no guest ever runs.
#
# All files live under one directory and all sockets are on 127.0.0.1, so
# several clouds can stand side by side and `rm -r` removes one. Python packages
# go to a virtual environment; MariaDB and RabbitMQ are unpacked from Debian
# packages into the directory, not installed, so nothing on the system changes.
#
# Needs: Debian 12, Python 3.11 with venv, pip and apt-get able to reach their
#        registries, about 2.5 GB of memory and 1 GB of disk. Two cores do:
#        installing takes two minutes, the first start another two, later
#        ones less than one. (Root should not be needed, but it was only ever
#        run as root.)
#
# Usage: minicloud.sh COMMAND
#
#   install            fetch the software (idempotent)
#   start [NAME...]    start everything that is not running; the first start also
#                      creates databases, users, the catalog and a test image.
#                      With names: only those services, e.g. `start compute3`; it
#                      waits for keystone, placement and nova-api
#   stop [NAME...]     stop everything, or only the named services
#   restart NAME...    stop and start the named services
#   status             one line per service: pid, memory, state
#   env [USER]         OS_* variables to eval: USER is admin (default), or demo,
#                      a plain member of the project "demo"
#   run PROGRAM ...    run a program of the virtual environment as admin,
#                      e.g. `minicloud.sh run openstack server list`
#
# Environment:
#
#   MINICLOUD_DIR        where it lives              (default ./.minicloud)
#   MINICLOUD_SOFTWARE   where the software is put   (default MINICLOUD_DIR); clouds
#                        that name the same folder share it, and it outlives them
#   MINICLOUD_BASE_PORT  first of nine ports used    (default 18100)
#   MINICLOUD_COMPUTES   how many compute hosts      (default 4)
#   MINICLOUD_PASSWORD   every account's password    (default "minicloud")
#   MINICLOUD_PYTHON     Python to build on          (default python3)
#   MINICLOUD_PIP_ARGS   arguments for pip install
#                        (default: -c minicloud-constraints.txt, beside this script)
#
# What `start` was first given for the port, the number of computes and the
# password is kept in the directory and used from then on.
#
# To extend nova without touching this script:
#
#   DIR/etc/nova/local.conf   read last by every nova service
#   DIR/etc/nova/compute1.d/  *.conf there are read after it by that compute host. A
#                             host = compute makes its hypervisor's name another
#                             than its own: nova's fake driver then says fake-mini
#   DIR/plugins/              on the Python path of every nova service, for
#                             instance for a scheduler filter of your own;
#                             `restart nova-scheduler` afterwards
#
# Likewise DIR/etc/keystone/local.conf, for instance for tokens that soon expire.

set -euo pipefail

# --- Versions -----------------------------------------------------------------

# The 2026.2 release. Everything else follows from their requirements; what a
# build got is in freeze.txt beside the virtual environment; such a file is
# minicloud-constraints.txt, too. OpenStack's own tests of this release were run
# with SQLAlchemy 2.0.
PYTHON_PACKAGES=(
  keystone==30.0.0
  openstack-placement==16.0.0
  glance==33.0.0
  neutron==29.0.0
  nova==34.0.0
  'SQLAlchemy<2.1'
  PyMySQL              # database driver
  waitress             # WSGI server: pure Python, native threads
  python-openstackclient
  osc-placement
  python-novaclient
)
BROKER_DEBS=(
  rabbitmq-server erlang-base erlang-asn1 erlang-crypto erlang-eldap
  erlang-inets erlang-mnesia erlang-os-mon erlang-parsetools erlang-public-key
  erlang-runtime-tools erlang-ssl erlang-syntax-tools erlang-tools erlang-xmerl
)
DATABASE_DEBS=(mariadb-server-core mariadb-client-core libaio1 libnuma1 liburing2)

# --- Settings -----------------------------------------------------------------

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DIR=$(realpath -m "${MINICLOUD_DIR:-.minicloud}")
SOFTWARE=$(realpath -m "${MINICLOUD_SOFTWARE:-$DIR}")
VENV=$SOFTWARE/venv SYSROOT=$SOFTWARE/sysroot
ETC=$DIR/etc VAR=$DIR/var LOG=$DIR/log RUN=$DIR/run
SETTINGS=$DIR/settings       # written by the first start
INITIALISED=$DIR/initialised # exists once databases and catalog are complete

BASE_PORT=${MINICLOUD_BASE_PORT:-18100}
COMPUTES=${MINICLOUD_COMPUTES:-4}
PASSWORD=${MINICLOUD_PASSWORD:-minicloud}
# shellcheck disable=SC1090
if [ -e "$SETTINGS" ]; then . "$SETTINGS"; fi

REGION=RegionOne
HOST=127.0.0.1
KEYSTONE_PORT=$((BASE_PORT))
PLACEMENT_PORT=$((BASE_PORT + 1))
GLANCE_PORT=$((BASE_PORT + 2))
NEUTRON_PORT=$((BASE_PORT + 3))
NOVA_PORT=$((BASE_PORT + 4))
DATABASE_PORT=$((BASE_PORT + 5))
BROKER_PORT=$((BASE_PORT + 6))
ERLANG_PORT=$((BASE_PORT + 7)) # Erlang's own; RabbitMQ does not run without it
EPMD_PORT=$((BASE_PORT + 8))   # Erlang's port mapper

AUTH_URL=http://$HOST:$KEYSTONE_PORT/v3
BROKER_URL=rabbit://guest:guest@$HOST:$BROKER_PORT/

APIS=(keystone placement glance neutron nova-api)
COMPUTE_NAMES=()
for ((i = 1; i <= COMPUTES; i++)); do COMPUTE_NAMES+=("compute$i"); done
# In the order in which they are started; stopped in the opposite order.
SERVICES=(mariadb epmd rabbitmq "${APIS[@]}" nova-conductor nova-scheduler "${COMPUTE_NAMES[@]}")

export no_proxy=$HOST,localhost NO_PROXY=$HOST,localhost
export PYTHONWARNINGS=ignore # eventlet announces its end at every start

say() { echo "minicloud: $*"; }
die() { echo "minicloud: $*" >&2; exit 1; }
database_url() { echo "mysql+pymysql://minicloud:minicloud@$HOST:$DATABASE_PORT/$1"; }

# --- install ------------------------------------------------------------------

install() {
  mkdir -p "$SOFTWARE"
  say "Python packages"
  [ -x "$VENV/bin/pip" ] || "${MINICLOUD_PYTHON:-python3}" -m venv "$VENV"
  local arguments=(-c "$HERE/minicloud-constraints.txt")
  # shellcheck disable=SC2206
  [ -z "${MINICLOUD_PIP_ARGS:-}" ] || arguments=($MINICLOUD_PIP_ARGS)
  "$VENV/bin/pip" install --quiet --disable-pip-version-check \
    "${arguments[@]}" "${PYTHON_PACKAGES[@]}"
  "$VENV/bin/pip" freeze --disable-pip-version-check > "$SOFTWARE/freeze.txt"
  say "RabbitMQ and MariaDB"
  [ -e "$SYSROOT" ] || unpack_debs "${BROKER_DEBS[@]}" "${DATABASE_DEBS[@]}"
  say "installed in $SOFTWARE ($(du -sh "$SOFTWARE" | cut -f1))"
}

unpack_debs() {
  local tmp=$SYSROOT.tmp deb
  rm -rf "$tmp"
  mkdir -p "$tmp/debs"
  (
    cd "$tmp/debs"
    # apt-get download wants no privileges, but a package list.
    apt-get download -qq "$@" 2> ../errors || {
      [ "$(id -u)" != 0 ] || apt-get update -qq
      apt-get download -qq "$@"
    }
    for deb in *.deb; do dpkg-deb -x "$deb" "$tmp"; done
  )
  rm -r "$tmp/debs" "$tmp/errors"
  mv "$tmp" "$SYSROOT"
}

# --- configure ----------------------------------------------------------------

# The options by which a service logs in to keystone, as user $1.
credentials() {
  cat << EOF
auth_type = password
auth_url = $AUTH_URL
username = $1
password = $PASSWORD
project_name = service
user_domain_id = default
project_domain_id = default
region_name = $REGION
EOF
}

authtoken() {
  cat << EOF
[keystone_authtoken]
www_authenticate_uri = $AUTH_URL
service_token_roles = service
service_token_roles_required = true
$(credentials "$1")
EOF
}

configure() {
  mkdir -p "$ETC"/{keystone,placement,glance,neutron,nova,rabbitmq} "$LOG" "$RUN" \
    "$DIR/plugins" "$VAR"/{images,staging,tasks,neutron,nova,rabbitmq}
  chmod 700 "$ETC" # passwords

  cat > "$ETC/keystone/keystone.conf" << EOF
[database]
connection = $(database_url keystone)
[cache]
# In the process: good for one process, and it halves the time of a request.
backend = oslo_cache.dict
[fernet_tokens]
key_repository = $ETC/keystone/fernet-keys
[credential]
key_repository = $ETC/keystone/credential-keys
EOF
  touch "$ETC/keystone/local.conf"

  cat > "$ETC/placement/placement.conf" << EOF
[placement_database]
connection = $(database_url placement)
[api]
auth_strategy = keystone
$(authtoken placement)
EOF

  cp "$VENV/etc/glance/glance-api-paste.ini" "$ETC/glance/"
  cat > "$ETC/glance/glance-api.conf" << EOF
[DEFAULT]
enabled_backends = local:file
enabled_import_methods = []
[database]
connection = $(database_url glance)
[glance_store]
default_backend = local
[local]
filesystem_store_datadir = $VAR/images
[os_glance_staging_store]
filesystem_store_datadir = $VAR/staging
[os_glance_tasks_store]
filesystem_store_datadir = $VAR/tasks
[paste_deploy]
flavor = keystone
[oslo_concurrency]
lock_path = $VAR/lock
$(authtoken glance)
EOF

  # Only the API, no agents: nova asks it for the ports of every server it
  # shows, even of servers without any.
  cat > "$ETC/neutron/neutron.conf" << EOF
[DEFAULT]
core_plugin = ml2
service_plugins =
state_path = $VAR/neutron
transport_url = $BROKER_URL
api_paste_config = $VENV/etc/neutron/api-paste.ini
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
[ml2]
# The other drivers are not used, but without one that reads the database when
# neutron starts, the first GET /ports fails: no attribute 'port_forwardings'.
type_drivers = local,vlan,vxlan
tenant_network_types = local
mechanism_drivers =
[database]
connection = $(database_url neutron)
[oslo_concurrency]
lock_path = $VAR/lock
$(authtoken neutron)
EOF

  # nova.conf is read by every nova service, database.conf only by those that
  # may use the database, which nova-compute may not.
  cat > "$ETC/nova/nova.conf" << EOF
[DEFAULT]
host = controller
my_ip = $HOST
state_path = $VAR/nova
transport_url = $BROKER_URL
# Not FakeDriver: its node gets a new UUID whenever the process starts.
compute_driver = fake.FakeDriverWithoutFakeNodes
# Shorter than the defaults, so that tests need not wait for minutes.
report_interval = 5
service_down_time = 20
update_resources_interval = 10
# The defaults let a service take three minutes to stop.
graceful_shutdown_timeout = 10
manager_shutdown_timeout = 5
[api]
auth_strategy = keystone
[wsgi]
api_paste_config = $VENV/etc/nova/api-paste.ini
[conductor]
workers = 1
[scheduler]
workers = 1
[vnc]
enabled = false
[oslo_concurrency]
lock_path = $VAR/lock
[placement]
$(credentials nova)
[glance]
$(credentials nova)
[neutron]
$(credentials nova)
[service_user]
send_service_user_token = true
$(credentials nova)
$(authtoken nova)
EOF
  cat > "$ETC/nova/database.conf" << EOF
[api_database]
connection = $(database_url nova_api)
[database]
connection = $(database_url nova_cell1)
EOF
  local name
  for name in "${COMPUTE_NAMES[@]}"; do
    mkdir -p "$VAR/$name" # holds compute_id, the identity of the node
    mkdir -p "$ETC/nova/$name.d"
    cat > "$ETC/nova/$name.conf" << EOF
[DEFAULT]
host = $name
state_path = $VAR/$name
[oslo_concurrency]
lock_path = $VAR/$name/lock
EOF
  done
  [ -e "$ETC/nova/local.conf" ] || cat > "$ETC/nova/local.conf" << EOF
# Your own nova options: read last, by every nova service, never overwritten.
EOF

  cat > "$ETC/serve.py" << 'EOF'
"""Serve the WSGI application of a module: serve.py MODULE HOST PORT"""
import importlib
import sys

module, host, port = sys.argv[1:]
del sys.argv[1:]  # keystone would take them for its own
import waitress
waitress.serve(importlib.import_module(module).application,
               host=host, port=port, threads=8, ident=None)
EOF

  echo "listeners.tcp.1 = $HOST:$BROKER_PORT" > "$ETC/rabbitmq/rabbitmq.conf"
  echo '[].' > "$ETC/rabbitmq/enabled_plugins"
  # Debian's erl has its own place built in; this one is found first on PATH.
  mkdir -p "$SYSROOT/bin"
  cat > "$SYSROOT/bin/erl" << EOF
#!/bin/sh
export ROOTDIR=$SYSROOT/usr/lib/erlang BINDIR=$(erts) EMU=beam PROGNAME=erl
exec "\$BINDIR/erlexec" "\$@"
EOF
  chmod +x "$SYSROOT/bin/erl"

  # Executed by MariaDB at every start.
  {
    echo "CREATE USER IF NOT EXISTS minicloud@'$HOST' IDENTIFIED BY 'minicloud';"
    for name in keystone placement glance neutron nova_api nova_cell0 nova_cell1; do
      echo "CREATE DATABASE IF NOT EXISTS $name CHARACTER SET utf8mb3;"
      echo "GRANT ALL ON $name.* TO minicloud@'$HOST';"
    done
  } > "$ETC/mariadb.sql"
}

erts() { echo "$SYSROOT"/usr/lib/erlang/erts-*/bin; }
libraries() { printf '%s:' "$SYSROOT"/usr/lib/*-linux-gnu "$SYSROOT"/lib/*-linux-gnu; }

# --- Processes ----------------------------------------------------------------
#
# Each service is the leader of a session of its own. Its pid file holds the pid
# and the time the kernel says it was started at: together they can not mean any
# other process, even if the pid is used again.

started_at() { # nothing for a process that is gone, or dead but not yet collected
  sed -n 's/.*) [^ZX] //p' "/proc/$1/stat" 2> /dev/null | cut -d' ' -f19
}

pid_of() { # prints the pid if the service runs
  local pid when
  read -r pid when 2> /dev/null < "$RUN/$1.pid" || return 1
  [ -n "$when" ] && [ "$(started_at "$pid")" = "$when" ] && echo "$pid"
}

launch() { # NAME COMMAND...
  local name=$1
  shift
  [ ! -e "$LOG/$name.log" ] || mv "$LOG/$name.log" "$LOG/$name.log.1"
  setsid "$@" > "$LOG/$name.log" 2>&1 < /dev/null &
  echo "$! $(started_at $!)" > "$RUN/$name.pid"
}

start_one() {
  local name=$1
  if pid_of "$name" > /dev/null; then return; fi
  case $name in
    mariadb) start_mariadb ;;
    epmd | rabbitmq) start_broker "$name" ;;
    keystone) start_api keystone keystone.wsgi.api "$KEYSTONE_PORT" ;;
    placement) start_api placement placement.wsgi.api "$PLACEMENT_PORT" ;;
    glance) start_api glance glance.wsgi.api "$GLANCE_PORT" ;;
    neutron) start_api neutron neutron.wsgi.api "$NEUTRON_PORT" ;;
    nova-api) start_api nova-api nova.wsgi.osapi_compute "$NOVA_PORT" ;;
    nova-conductor | nova-scheduler) start_nova "$name" "$name" database.conf ;;
    compute*) start_nova "$name" nova-compute "$name.conf" ;;
    *) die "no service $name; there are: ${SERVICES[*]}" ;;
  esac
}

start_api() { # NAME MODULE PORT
  PYTHONPATH=$DIR/plugins \
    OS_KEYSTONE_CONFIG_DIR=$ETC/keystone OS_KEYSTONE_CONFIG_FILES="keystone.conf;local.conf" \
    OS_PLACEMENT_CONFIG_DIR=$ETC/placement \
    OS_GLANCE_CONFIG_DIR=$ETC/glance \
    OS_NEUTRON_CONFIG_DIR=$ETC/neutron OS_NEUTRON_CONFIG_FILES=neutron.conf \
    OS_NOVA_CONFIG_DIR=$ETC/nova \
    OS_NOVA_CONFIG_FILES="$VENV/etc/nova/api-paste.ini;nova.conf;database.conf;local.conf" \
    launch "$1" "$VENV/bin/python" "$ETC/serve.py" "$2" "$HOST" "$3"
}

start_nova() { # NAME PROGRAM CONFIG
  local own=()
  [ ! -d "$ETC/nova/$1.d" ] || own=(--config-dir "$ETC/nova/$1.d")
  PYTHONPATH=$DIR/plugins launch "$1" "$VENV/bin/$2" \
    --config-file "$ETC/nova/nova.conf" --config-file "$ETC/nova/$3" \
    --config-file "$ETC/nova/local.conf" "${own[@]}"
}

start_mariadb() {
  export LD_LIBRARY_PATH; LD_LIBRARY_PATH=$(libraries)
  local options=(
    --no-defaults --user="$(id -un)" --basedir="$SYSROOT/usr" --datadir="$VAR/mariadb"
    --innodb-log-file-size=16M --innodb-buffer-pool-size=64M
    # Never wait for the disk: a test cloud may be lost when the machine dies.
    --innodb-flush-method=nosync --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0
  )
  [ -e "$VAR/mariadb/mysql" ] ||
    "$SYSROOT/usr/bin/mariadb-install-db" "${options[@]}" --skip-test-db \
      --auth-root-authentication-method=normal > "$LOG/mariadb-install.log" 2>&1 ||
    die "could not create the database files; see $LOG/mariadb-install.log"
  launch mariadb "$SYSROOT/usr/sbin/mariadbd" "${options[@]}" \
    --bind-address="$HOST" --port="$DATABASE_PORT" --socket="$RUN/mariadb.sock" \
    --pid-file="$RUN/mariadb.own-pid" --init-file="$ETC/mariadb.sql" \
    --skip-name-resolve --performance-schema=off --max-connections=500
  unset LD_LIBRARY_PATH
}

start_broker() {
  (
    export HOME=$VAR/rabbitmq PATH=$SYSROOT/bin:$(erts):$PATH
    export ERL_EPMD_PORT=$EPMD_PORT ERL_EPMD_ADDRESS=$HOST
    if [ "$1" = epmd ]; then
      launch epmd epmd -port "$EPMD_PORT" -address "$HOST"
      exit
    fi
    export RABBITMQ_CONF_ENV_FILE=/dev/null
    export RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_DIST_PORT=$ERLANG_PORT
    export RABBITMQ_MNESIA_BASE=$VAR/rabbitmq/mnesia RABBITMQ_LOG_BASE=$LOG
    export RABBITMQ_CONFIG_FILE=$ETC/rabbitmq/rabbitmq.conf
    export RABBITMQ_ENABLED_PLUGINS_FILE=$ETC/rabbitmq/enabled_plugins
    # The script replaces itself by the broker, so that the pid is the broker's.
    export RABBITMQ_ALLOW_INPUT=1
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-noinput -kernel inet_dist_use_interface {127,0,0,1}"
    launch rabbitmq "$SYSROOT"/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server
  )
}

stop_all() { # NAME...: ask all of them, then wait, then insist
  local name pid deadline=$((SECONDS + 20))
  for name in "$@"; do
    if pid=$(pid_of "$name"); then kill "$pid" || true; fi
  done
  for name in "$@"; do
    while pid=$(pid_of "$name"); do
      if ((SECONDS >= deadline)); then
        say "$name does not stop: killed"
        kill -KILL -- "-$pid" || true
      fi
      sleep 0.2
    done
    rm -f "$RUN/$name.pid"
  done
}

# --- Waiting ------------------------------------------------------------------

listening() { (exec 3<> "/dev/tcp/$HOST/$1") 2> /dev/null; }

wait_for() { # NAME PORT: until the service accepts connections
  local deadline=$((SECONDS + 120))
  until listening "$2"; do
    pid_of "$1" > /dev/null || { tail -n 20 "$LOG/$1.log" >&2; die "$1 stopped; see $LOG/$1.log"; }
    ((SECONDS < deadline)) || die "$1 does not listen on port $2; see $LOG/$1.log"
    sleep 0.3
  done
}

# --- First start --------------------------------------------------------------

create_databases() {
  say "creating databases (once)"
  # One log per database: they are made at the same time.
  local job jobs=() failed=0
  for job in keystone placement glance neutron nova; do
    "create_$job" > "$LOG/create-$job.log" 2>&1 &
    jobs+=("$job:$!")
  done
  for job in "${jobs[@]}"; do
    wait "${job#*:}" || { say "see $LOG/create-${job%:*}.log"; failed=1; }
  done
  [ $failed = 0 ] || die "could not create the databases"
}

create_keystone() (
  set -e
  manage() { "$VENV/bin/keystone-manage" --config-file "$ETC/keystone/keystone.conf" "$@"; }
  owner=(--keystone-user "$(id -un)" --keystone-group "$(id -gn)")
  manage db_sync
  manage fernet_setup "${owner[@]}"
  manage credential_setup "${owner[@]}"
  manage bootstrap --bootstrap-password "$PASSWORD" --bootstrap-region-id "$REGION" \
    --bootstrap-public-url "$AUTH_URL" --bootstrap-internal-url "$AUTH_URL"
)
create_placement() { "$VENV/bin/placement-manage" --config-file "$ETC/placement/placement.conf" db sync; }
create_glance() { "$VENV/bin/glance-manage" --config-file "$ETC/glance/glance-api.conf" db_sync; }
create_neutron() { "$VENV/bin/neutron-db-manage" --config-file "$ETC/neutron/neutron.conf" upgrade heads; }
create_nova() (
  set -e
  nova_manage api_db sync
  nova_manage cell_v2 map_cell0 --database_connection "$(database_url nova_cell0)"
  nova_manage cell_v2 list_cells | grep -q ' cell1 ' || nova_manage cell_v2 create_cell --name cell1
  nova_manage db sync
)
nova_manage() {
  "$VENV/bin/nova-manage" --config-file "$ETC/nova/nova.conf" \
    --config-file "$ETC/nova/database.conf" "$@"
}

# Small administration jobs, through the APIs: admin JOB...
admin() {
  (
    eval "$(print_env admin)"
    export PASSWORD REGION COMPUTES
    export PORTS="placement=$PLACEMENT_PORT glance=$GLANCE_PORT neutron=$NEUTRON_PORT nova=$NOVA_PORT"
    "$VENV/bin/python" - "$@" << 'EOF'
import os
import sys
import time

import openstack

cloud = openstack.connect()
password, region = os.environ["PASSWORD"], os.environ["REGION"]
count = int(os.environ["COMPUTES"])
ports = dict(pair.split("=") for pair in os.environ["PORTS"].split())


def catalog():
    """Users and endpoints of the services, and the project and user "demo"."""
    identity = cloud.identity
    roles = {role.name: role for role in identity.roles()}

    def project(name):
        return (identity.find_project(name)
                or identity.create_project(name=name, domain_id="default"))

    def user(name, project, *names):
        user = identity.find_user(name) or identity.create_user(
            name=name, password=password, domain_id="default")
        for name in names:
            identity.assign_project_role_to_user(project, user, roles[name])

    service_project = project("service")
    for kind, name, path in (("placement", "placement", ""), ("image", "glance", ""),
                             ("network", "neutron", ""), ("compute", "nova", "/v2.1")):
        user(name, service_project, "admin", "service")
        service = (identity.find_service(name)
                   or identity.create_service(type=kind, name=name))
        present = {e.interface for e in identity.endpoints(service_id=service.id)}
        for interface in {"public", "internal"} - present:
            identity.create_endpoint(service_id=service.id, interface=interface, region_id=region,
                                     url=f"http://127.0.0.1:{ports[name]}{path}")
    user("demo", project("demo"), "member")


def wait_until(what, ready):
    deadline = time.time() + 120
    while not ready():
        if time.time() > deadline:
            sys.exit(f"minicloud: {what}: not ready after two minutes")
        time.sleep(0.5)


def up(binary):
    return len([s for s in cloud.compute.services(binary=binary) if s.state == "up"])


def conductor():
    wait_until("nova-conductor", lambda: up("nova-conductor"))


def scheduler():
    wait_until("nova-scheduler", lambda: up("nova-scheduler"))


def computes():
    wait_until("nova-compute", lambda: up("nova-compute") >= count)


def hypervisors():
    """Every host is known to the cell and has told placement what it has."""
    def ready():
        providers = list(cloud.placement.resource_providers())
        return (len(list(cloud.compute.hypervisors())) >= count
                and len(providers) >= count
                and all(list(cloud.placement.resource_provider_inventories(p)) for p in providers))
    wait_until("hypervisors", ready)


def image():
    if not cloud.image.find_image("tiny"):
        cloud.create_image("tiny", data=b"\0" * 1024, disk_format="raw",
                           container_format="bare", visibility="public", wait=True)


for job in sys.argv[1:]:
    globals()[job]()
EOF
  )
}

# --- Commands -----------------------------------------------------------------

start() {
  [ -e "$SYSROOT" ] && [ -x "$VENV/bin/nova-compute" ] || die "not installed: run '$0 install' first"
  local began=$SECONDS first=no name
  configure
  printf 'BASE_PORT=%q COMPUTES=%q PASSWORD=%q\n' "$BASE_PORT" "$COMPUTES" "$PASSWORD" > "$SETTINGS"
  chmod 600 "$SETTINGS"
  if [ $# -gt 0 ]; then
    for name in "$@"; do start_one "$name"; done
    for name in "$@"; do
      case $name in
        keystone) wait_for keystone "$KEYSTONE_PORT" ;;
        placement) wait_for placement "$PLACEMENT_PORT" ;;
        nova-api) wait_for nova-api "$NOVA_PORT" ;;
      esac
    done
    return
  fi

  start_one mariadb
  start_one epmd
  wait_for epmd "$EPMD_PORT"
  start_one rabbitmq
  wait_for mariadb "$DATABASE_PORT"
  if [ ! -e "$INITIALISED" ]; then
    first=yes
    create_databases
  fi
  say "starting the services"
  for name in "${APIS[@]}"; do start_one "$name"; done
  wait_for keystone "$KEYSTONE_PORT"
  [ $first = no ] || admin catalog
  wait_for placement "$PLACEMENT_PORT"
  wait_for rabbitmq "$BROKER_PORT"
  start_one nova-conductor
  start_one nova-scheduler
  wait_for glance "$GLANCE_PORT"
  wait_for neutron "$NEUTRON_PORT"
  wait_for nova-api "$NOVA_PORT"
  admin conductor # nova-compute can do nothing without one
  for name in "${COMPUTE_NAMES[@]}"; do start_one "$name"; done
  admin computes
  if [ $first = yes ]; then
    nova_manage cell_v2 discover_hosts --by-service > "$LOG/discover-hosts.log" 2>&1 ||
      die "could not map the hosts; see $LOG/discover-hosts.log"
    admin image
  fi
  admin scheduler hypervisors
  touch "$INITIALISED"
  say "ready after $((SECONDS - began)) s: $AUTH_URL"
}

stop() {
  if [ $# -gt 0 ]; then
    stop_all "$@"
    return
  fi
  # nova-compute says good-bye through the conductor, everybody through the
  # broker and the database: in turns.
  stop_all "${COMPUTE_NAMES[@]}"
  stop_all nova-scheduler nova-conductor "${APIS[@]}"
  stop_all rabbitmq mariadb
  stop_all epmd
}

status() {
  local name pid kib sum=0 all=0
  printf '%-16s %8s %9s  %s\n' SERVICE PID "RSS MiB" STATE
  for name in "${SERVICES[@]}"; do
    if pid=$(pid_of "$name"); then
      # The session: a service's workers count as its own.
      kib=$(ps -o rss= -s "$pid" | awk '{n += $1} END {print n}')
      sum=$((sum + kib))
      printf '%-16s %8d %9d  %s\n' "$name" "$pid" $((kib / 1024)) "up$(ps -o etime= -p "$pid")"
    else
      printf '%-16s %8s %9s  %s\n' "$name" - - down
      all=1
    fi
  done
  printf '%-16s %8s %9d\n' total "" $((sum / 1024))
  return $all
}

print_env() {
  local user=${1:-admin}
  cat << EOF
export OS_AUTH_TYPE=password
export OS_AUTH_URL=$AUTH_URL
export OS_IDENTITY_API_VERSION=3
export OS_REGION_NAME=$REGION
export OS_USERNAME=$user
export OS_PROJECT_NAME=$user
export OS_PASSWORD=$(printf %q "$PASSWORD")
export OS_USER_DOMAIN_ID=default
export OS_PROJECT_DOMAIN_ID=default
EOF
}

run() {
  eval "$(print_env admin)"
  PATH=$VENV/bin:$PATH exec "$@"
}

case ${1:-} in
  install) install ;;
  start) start "${@:2}" ;;
  stop) stop "${@:2}" ;;
  restart)
    [ $# -gt 1 ] || die "restart what?"
    stop "${@:2}"
    start "${@:2}"
    ;;
  status) status ;;
  env) print_env "${@:2}" ;;
  run) run "${@:2}" ;;
  *)
    sed -n '/^# Usage/,/^$/s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
