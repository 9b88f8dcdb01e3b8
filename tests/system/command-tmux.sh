# SPDX-License-Identifier: MIT
# guest: no, terminals are the same there
# `lcx run -it` inside tmux: full-screen programs, a new size, job control, a paste of 1 MB, what is left of the
# terminal. What is asserted is the screen as a person sees it.
. "${SRC:?}/tests/system/lib.sh"
need tmux busybox bash md5sum
make_rootfs "$T/rootfs"
for file in /bin/bash $(ldd /bin/bash | grep -o '/[^ ]*'); do
	mkdir -p "$T/rootfs${file%/*}"
	cp -L "$file" "$T/rootfs$file"
done
LCX="$BUILD/examples/lcx/lcx --root $T/lcx-root --run-dir $T/lcx-run"
export LCX
tmux="tmux -S $T/socket -f /dev/null"
defer '$LCX rm -f tm'
defer "$tmux kill-server"
$tmux new-session -d -x 90 -y 30 sh

keys() { $tmux send-keys "$@"; }
screen() { $tmux capture-pane -p; }
on_screen() { screen | grep -q -e "$1"; }
shows() { # NAME PATTERN: it will be on the screen
	if wait_for 20 on_screen "$2"; then
		pass "$1"
	else
		screen >"$T/screen"
		fail "$1" "$T/screen"
	fi
}
# Its process group is the one that the terminal listens to.
in_front() { # PROGRAM
	$LCX exec tm sh -c 'for stat in /proc/[0-9]*/stat; do read -r line <"$stat" && set -- "$1" $line && [ "$3 $6" = "($1) $9" ] && exit 0; done; exit 1' sh "$1"
}
rows_of_tildes() { [ "$(screen | grep -c '^~')" -eq "$1" ]; }

keys "PS1='out> '; clear" Enter
keys 'stty -a | sed 1d | md5sum >'"$T/before" Enter
wait_for 10 test -s "$T/before"
keys 'clear; '"$LCX"' run -it --rm --name tm --network none -e TERM=screen --rootfs '"$T/rootfs"' bash --norc' Enter
shows 'a shell of the container' '^bash-.*#'
keys "PS1='in> '; clear" Enter
shows 'takes what is typed' '^in>$'

keys 'stty size' Enter
shows 'has the size of the window' '^30 90$'
keys 'vi /tmp/letter' Enter
shows 'vi has the whole screen' '/tmp/letter.*1/1'
check 'to its last row' wait_for 10 rows_of_tildes 28
keys i 'Dear reader' Escape
shows 'and takes keys' '^Dear reader'
$tmux resize-window -x 60 -y 20
check 'a smaller window is drawn anew' wait_for 10 rows_of_tildes 18
$tmux resize-window -x 100 -y 40
check 'and a larger one' wait_for 10 rows_of_tildes 38
keys ':wq' Enter
shows 'it ends, and the shell is back' '^in> '
keys 'clear; cat /tmp/letter; stty size' Enter
shows 'what was written is there' '^Dear reader$'
shows 'the shell knows the new size' '^40 100$'

keys 'clear; top -d 1' Enter
shows 'top draws a table' 'PID  *PPID'
keys q
shows 'until its key' '^in>$'

keys 'clear; sleep 1000' Enter
wait_for 20 in_front sleep
keys C-z
shows 'Ctrl-Z stops what is in front' 'Stopped.*sleep 1000'
keys 'jobs; bg; jobs' Enter
shows 'bg lets it run' 'Running.*sleep 1000 &'
keys 'fg' Enter
wait_for 20 in_front sleep
keys C-c
shows 'Ctrl-C ends it' '^in>$'
keys 'echo "status $?"' Enter
shows 'by a signal' '^status 130$'

awk 'BEGIN { for (i = 0; i < 20000; i++) printf "%05d a line of fifty characters, all in all, it is\n", i }' >"$T/paste"
keys 'clear; stty -echo; cat >/tmp/pasted; stty echo; md5sum /tmp/pasted; wc -c </tmp/pasted' Enter
wait_for 20 in_front cat
$tmux load-buffer "$T/paste"
$tmux paste-buffer
keys C-d
shows 'a paste of 1 MB arrives' "^$(wc -c <"$T/paste")\$"
shows 'as it was' "^$(md5sum <"$T/paste" | cut -d' ' -f1)"

keys C-p C-q
shows 'Ctrl-P Ctrl-Q leaves' '^in> out>$'
check_match 'the container runs on' ' Up ' "$($LCX ps -f name=tm)"
keys "clear; $LCX attach tm" Enter
keys 'clear; echo $((6 * 7))' Enter
shows 'attach is back in the same shell' '^42$'
keys 'exit 7' Enter
shows 'the end of the shell' '^out>$'
keys 'echo "status $?"' Enter
keys 'stty -a | sed 1d | md5sum >'"$T/after" Enter
wait_for 10 test -s "$T/after"
check_eq 'leaves the terminal as it was' "$(cat "$T/before")" "$(cat "$T/after")"
check_eq 'and nothing else' '' "$($LCX ps -aq)"
