#!/usr/bin/env bash
# Starts a small Ceph in memory (a monitor, an OSD on memstore, radosgw) below a folder, and waits for SIGTERM. Needs Debian's packages
# radosgw, ceph-mon, ceph-osd, ceph-common.
#
#   Conformance/s3/radosgw.sh FOLDER MON_PORT RGW_PORT
set -euo pipefail
folder=$1 mon=$2 rgw=$3
mkdir -p "$folder"/{mon,osd,run,log,rgw}
fsid=$(cat /proc/sys/kernel/random/uuid)
cat > "$folder/ceph.conf" <<EOF
[global]
fsid = $fsid
mon host = v1:127.0.0.1:$mon
auth cluster required = none
auth service required = none
auth client required = none
run dir = $folder/run
log file = $folder/log/\$name.log
admin socket = $folder/run/\$name.asok
pid file = $folder/run/\$name.pid
crash dir = $folder/crash
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
osd objectstore = memstore
memstore device bytes = 2147483648
ms bind ipv6 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
mon max pg per osd = 1000
[mon.a]
mon data = $folder/mon
[osd.0]
osd data = $folder/osd
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$rgw
rgw data = $folder/rgw
rgw thread pool size = 32
EOF
c=(-c "$folder/ceph.conf")
monmaptool --create --fsid "$fsid" --addv a "[v1:127.0.0.1:$mon]" "$folder/monmap" > /dev/null
ceph-mon "${c[@]}" --mkfs -i a --monmap "$folder/monmap" > /dev/null 2>&1
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait' EXIT
ceph-mon "${c[@]}" -i a -f > "$folder/log/mon.out" 2>&1 & pids+=($!)
ceph() { command timeout 10 ceph --connect-timeout 2 "${c[@]}" "$@"; }
for _ in $(seq 100); do ceph -s > /dev/null 2>&1 && break; sleep 0.2; done
uuid=$(cat /proc/sys/kernel/random/uuid)
ceph osd new "$uuid" 0 > /dev/null
ceph-osd "${c[@]}" -i 0 --mkfs --osd-uuid "$uuid" > "$folder/log/mkfs.out" 2>&1
# An OSD that asks before the monitor's answer has told it the cluster's id ends with `wrong fsid` (one start in ten): it starts again.
osd=
for _ in $(seq 200); do
  if [ -z "$osd" ] || ! kill -0 "$osd" 2> /dev/null; then
    ceph-osd "${c[@]}" -i 0 -f >> "$folder/log/osd.out" 2>&1 & osd=$!
    pids+=("$osd")
  fi
  ceph osd stat 2> /dev/null | grep -q "1 up" && break
  sleep 0.2
done
radosgw "${c[@]}" -n client.rgw -f > "$folder/log/rgw.out" 2>&1 & pids+=($!)
for _ in $(seq 300); do (echo > "/dev/tcp/127.0.0.1/$rgw") 2> /dev/null && break; sleep 0.2; done
timeout 60 radosgw-admin "${c[@]}" user create --uid icegate --display-name icegate --access-key test --secret testsecret > /dev/null 2>&1
echo ready
wait "${pids[0]}"
