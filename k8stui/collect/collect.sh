#!/bin/sh
# k8stui collect: what a node's kernel holds, as one text for k8stui.
#
# Read-only: it writes no file, changes no setting, asks for no Secret and reads nothing of /etc.
# Run it as root on the node:        sh collect.sh > NODE.txt
# or from elsewhere:                 ssh NODE sudo sh -s < collect.sh > NODE.txt
#
# Before each command's output stands a line        @ NAMESPACE COMMAND
# NAMESPACE is "node" (the root namespace), a name of /run/netns, or pid-PID; net-INODE where the
# name is no plain word.
# Behind the output of a command that failed        ! STATUS what it said
# The last line, of what is whole:  @ node end
# COLLECT_CONNTRACK=1: tracked connections, too.
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin
export PATH LC_ALL=C
exec 3>&1

net=ipv4/ip_forward
net="$net ipv4/ip_nonlocal_bind ipv4/fib_multipath_hash_policy ipv4/fib_multipath_hash_fields ipv6/fib_multipath_hash_policy ipv4/fwmark_reflect"
net="$net ipv4/ip_default_ttl ipv4/ip_local_port_range ipv4/ip_unprivileged_port_start"
net="$net ipv4/tcp_syn_retries ipv4/tcp_syn_linear_timeouts"
for key in rp_filter route_localnet forwarding proxy_arp* accept_local src_valid_mark arp_ignore arp_filter; do
  net="$net ipv4/conf/*/$key"
done
for key in forwarding disable_ipv6; do net="$net ipv6/conf/*/$key"; done
net="$net bridge/* netfilter/nf_conntrack_tcp_be_liberal netfilter/nf_conntrack_tcp_loose ipv4/vs/conntrack"

limit=
if timeout 5 true 2>/dev/null; then limit="timeout 30"; fi

# say COMMAND...: its section. Status 0 when it succeeded.
say() {
  printf '@ %s %s\n' "$space" "$*"
  if ! command -v "$1" >/dev/null 2>&1; then
    echo '! 127 not installed'
    return 127
  fi
  said=$($limit ${inside:+nsenter "--net=$inside"} "$@" 2>&1 >&3 3>&- </dev/null)
  status=$?
  [ $status = 0 ] || printf '! %s %s\n' "$status" "$(printf '%s' "$said" | head -n 1)"
  return $status
}

# either JSON-COMMAND... -- TEXT-COMMAND...: the second where the first cannot be had.
json() {
  tool=$1
  shift
  say "$tool" -j "$@" || say "$tool" "$@"
}

one() {
  json ip -d addr show || say ip addr show # without -d: BusyBox
  json ip -4 route show table all
  json ip -6 route show table all
  json ip -4 rule show
  json ip -6 rule show
  json ip neigh show
  say ip -j netns list-id
  json bridge -d link show
  json bridge fdb show
  if command -v iptables-nft-save >/dev/null 2>&1 || command -v iptables-legacy-save >/dev/null 2>&1; then
    for engine in nft legacy; do
      say iptables-$engine-save
      say ip6tables-$engine-save
    done
  else
    say iptables-save
    say ip6tables-save
  fi
  say nft list ruleset || say nft -j list ruleset
  say ipset save
  say ipvsadm -Sn
  say ss -Hltnu
  say bpftool -j net show
  [ -z "$COLLECT_CONNTRACK" ] || say conntrack -L -o extended
  printf '@ %s sysctl\n' "$space"
  # By a program, not by the shell's read: the kernel gives these files' text only at once.
  ${inside:+nsenter "--net=$inside"} sh -c "cd /proc/sys/net && grep -sH . $net | sed 's|:|=|; s|^|net/|'" 2>/dev/null </dev/null
}

inode() { stat -L -c %i "$1" 2>/dev/null; }

space=node inside=
echo '@ node hostname'
hostname 2>/dev/null || cat /proc/sys/kernel/hostname
echo '@ node uname'
uname -srm
echo '@ node versions'
for tool in ip iptables nft ipset; do
  option=--version
  [ $tool != ip ] || option=-V
  command -v $tool >/dev/null 2>&1 && $tool $option 2>&1 </dev/null | head -n 1
done
one
seen=" $(inode /proc/self/ns/net) "
enter() { # NAME FILE: the namespace's sections, unless they were written before.
  number=$(inode "$2") || return
  case "$seen" in *" $number "*) return ;; esac
  seen="$seen$number "
  space=$1 inside=$2
  case "$1" in node | *[!A-Za-z0-9_.:-]*) space=net-$number ;; esac
  one
}
if command -v nsenter >/dev/null 2>&1; then
  for file in /run/netns/* /run/docker/netns/*; do
    [ -e "$file" ] && enter "${file##*/}" "$file"
  done
  # Runtimes that name no namespace: by a process in it.
  if [ -z "$COLLECT_NAMED_ONLY" ]; then
    for process in /proc/[0-9]*; do
      [ -e "$process/ns/net" ] && enter "pid-${process##*/}" "$process/ns/net"
    done
  fi
else
  echo '@ node nsenter'
  echo '! 127 not installed'
fi
echo '@ node end'
