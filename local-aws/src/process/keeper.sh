#!/bin/sh
# Keeps moto: starts it, ends it for sure, and clears up behind it.
#
#   keeper.sh FOLDER GRACE MOTO [ARGUMENT...]     (GRACE in seconds; must lead its own process group)
#
# Standard input is a pipe from the caller, which closes when the caller is gone, however it went
# (kill -9 too): then moto ends. A caller that writes "release" first lets moto outlive it.
folder=$1
grace=$2
shift 2

# A background job of a script reads /dev/null, so the pipe gets a number of its own.
exec 3<&0 </dev/null
"$@" 3<&- &
moto=$!
echo "$moto" >"$folder/pid"

end() {
  kill -s TERM "$moto" 2>/dev/null
  (sleep "$grace" && kill -s KILL "$moto") 2>/dev/null &
}
trap end TERM INT HUP

(read -r word <&3; [ "$word" = release ] || kill -s TERM $$) &
exec 3<&-

# A signal cuts `wait` short, so wait until moto is really gone (and reaped: this is its parent).
wait "$moto"
status=$?
while kill -s 0 "$moto" 2>/dev/null; do
  wait "$moto"
  status=$?
done

# Ended on request (0, or by SIGINT, SIGKILL, SIGTERM): nothing stays. After a fall the log stays to be read.
case $status in
  0 | 130 | 137 | 143) rm -rf "$folder" ;;
esac

# Whatever moto or its launcher left running in this group, and this keeper itself.
kill -s KILL 0
