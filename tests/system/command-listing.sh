# SPDX-License-Identifier: MIT
# guest: no, listings are the same there
# Docker's filters of `ps`, and --format with a template, of every listing and of `inspect`.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq
make_rootfs "$T/rootfs"
defer 'lcx rm -f $(lcx ps -aq)'
create() { lcx create --rootfs "$T/rootfs" "$@" >/dev/null; }
names() { lcx ps --format '{{.Names}}' "$@" | sort | tr '\n' ' '; }

create --name one --network none --label tier=front --label a=1 --label "odd=a,b=c" sh -c 'exit 3'
create --name two --network none --label tier=back true
create --name three --network host sleep 1000
create --name four --network none --label tier=front sleep 1000
lcx start three >/dev/null
lcx start -a one || :
lcx start -a two

# --- filters

check_eq 'those that run' 'three ' "$(names)"
check_eq 'all' 'four one three two ' "$(names -a)"
check_eq 'ls is the same' "$(lcx ps -aq)" "$(lcx ls -aq)"
check_eq 'by status, running or not' 'one two ' "$(names -f status=exited)"
check_eq 'one status or another' 'four one two ' "$(names -f status=exited -f status=created)"
check_eq 'by exit code' 'one ' "$(names -f exited=3)"
check_eq 'one code or another' 'one two ' "$(names -f exited=3 -f exited=0)"
check_eq 'by a label' 'four one ' "$(names -a -f label=tier=front)"
check_eq 'by a key' 'four one two ' "$(names -a -f label=tier)"
check_eq 'by both labels' 'one ' "$(names -a -f label=tier=front -f label=a)"
check_eq 'by part of a name' 'one two ' "$(names -a -f name='(one|wo)')"
check_eq 'by a whole name' 'one ' "$(names -a -f name='^/one$')"
check_eq 'by network' 'three ' "$(names -a -f network=host)"
check_eq 'by identifier' 'two ' "$(names -a -f "id=$(lcx inspect --format '{{.Id}}' two | cut -c 1-10)")"
check_eq 'older than' 'one two ' "$(names -a -f before=three)"
check_eq 'newer than' 'four three ' "$(names -a -f since=two)"
check_eq 'the last one' 'four ' "$(names -l)"
check_eq 'the last two' 'four three ' "$(names -n 2)"
check_eq 'the last two that have ended' 'one two ' "$(names -n 2 -f status=exited)"
check_eq 'minus one is no limit' 'three ' "$(names -n -1)"
check_eq 'by an image that is not here' '' "$(names -a -f ancestor=none)"
check_fails 'a status that is none' 125 "'status=ended' is unknown; there are created, running" lcx ps -f status=ended
check_fails 'a code that is none' 125 "'exited=x'" lcx ps -f exited=x
check_fails 'a pattern that is none' 125 'no regular expression' lcx ps -f 'name=('
check_fails 'a number that is none' 125 "'few' is no number" lcx ps -n few
check_fails 'a container that is not there' 1 'nowhere' lcx ps -f before=nowhere

# --- templates

t() { lcx ps -f name=one -a --format "$1"; }
check_eq 'fields' "one exited $(lcx ps -aq -f name=one)" "$(t '{{.Names}} {{.State}} {{.ID}}')"
check_eq 'tabs and the ends of lines' "$(printf 'one\tx\ny')" "$(t '{{.Names}}\tx\ny')"
check_eq 'a whole row' one "$(t '{{json .}}' | jq -r .Names)"
check_eq 'a label' front "$(t '{{.Label "tier"}}')"
check_eq 'a label with all signs' 'a,b=c' "$(t '{{.Label "odd"}}')"
check_eq 'a label that is not there' '' "$(t '{{.Label "none"}}')"
check_eq 'pipes and functions' 'ONE 3 "one"' "$(t '{{.Names | upper}} {{len .Names}} {{.Names | json}}')"
check_eq 'either this or that' 'yes no' "$(t '{{if eq .State "exited"}}yes{{else}}no{{end}} {{if not .Names}}yes{{else}}no{{end}}')"
check_eq 'blanks that go' 'aoneb' "$(t 'a {{- .Names -}} b')"
both=$(t '{{.CreatedSince}}/{{.RunningFor}}')
check_eq 'how long ago' "${both%/*}" "${both#*/}"
check_eq 'columns' 'NAMES STATE/one exited' "$(t 'table {{.Names}}\t{{.State}}' | sed 's/ \{1,\}/ /g; s/ $//' | paste -s -d /)"
check_eq 'columns of nothing' 'NAMES   STATE' "$(lcx ps -f name=none --format 'table {{.Names}}\t{{.State}}')"
check_fails 'an unknown field' 1 "there is no field '.Nmaes'; there are .ID, .Image" t '{{.Nmaes}}'
check_fails 'also where there is nothing' 1 "there is no field '.Nmaes'" lcx ps -f name=none --format '{{.Nmaes}}'
check_fails 'an unknown function' 1 "there is no function 'shout'" t '{{shout .Names}}'
check_fails 'no end of a block' 1 'no {{end}}' t '{{if .Names}}x'
check_fails 'no end of an action' 1 "no '}}'" t '{{.Names'
check_fails 'an end of nothing' 1 'without a block' t '{{end}}'
check_eq 'nothing that a terminal obeys' 'a?[31mb' "$(create --name esc --network none --label "x=$(printf 'a\033[31mb')" true; lcx ps -af name=esc --format '{{.Label "x"}}')"

# --- of the others

check_eq 'inspect: fields in any case' 'exited 3' "$(lcx inspect --format '{{.State.Status}} {{.state.exitCode}}' one)"
check_eq 'inspect: JSON' exited "$(lcx inspect --format '{{json .State}}' one | jq -r .status)"
check_eq 'inspect: a list' 'sh -c ' "$(lcx inspect --format '{{range .Config.Process.Args}}{{if ne . "exit 3"}}{{.}} {{end}}{{end}}' one)"
check_eq 'inspect: an element' sh "$(lcx inspect --format '{{index .Config.Process.Args 0}}' one)"
check_eq 'inspect: the root' 'one one one ' "$(lcx inspect --format '{{range .Config.Process.Args}}{{$.Name}} {{end}}' one)"
check_eq 'inspect: a list joined' 'sh+-c+exit 3' "$(lcx inspect --format '{{join .Config.Process.Args "+"}}' one)"
check_eq 'inspect: several' 'one/two' "$(lcx inspect --format '{{.Name}}' one two | paste -s -d /)"
check_fails 'inspect: an unknown field' 1 "no field '.Pidd'; there are .status, .pid" lcx inspect --format '{{.State.Pidd}}' one
lcx network create --subnet 10.77.0.0/24 side >/dev/null
check_eq 'networks' 'side 10.77.0.0/24' "$(lcx network ls --format '{{.Name}} {{.Subnet}}')"
check_eq 'a network' side "$(lcx network inspect --format '{{.Name}}' side)"
check_fails 'images, without any' 1 "no field '.Nope'" lcx images --format '{{.Nope}}'
check_eq 'what a container uses, by name' 1 "$(lcx stats --no-stream --format json | jq '.[0].Figures["pids.current"]')"
check_eq 'what a container uses' three "$(lcx stats --no-stream --format '{{.Name}}')"
check_fails 'not of what is no listing' 125 'is unknown; there are table and json' lcx version --format '{{.x}}'
lcx rm -f $(lcx ps -aq) >/dev/null
lcx network rm side >/dev/null
