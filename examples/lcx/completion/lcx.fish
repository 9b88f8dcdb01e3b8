# SPDX-License-Identifier: MIT
# Completion of lcx for fish, out of its own --help and listings.

function __lcx_commands
    lcx $argv --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\)  *\(.*\)/\1\t\2/p'
end

# Never more than the command: what stands behind it may be a program to be run.
function __lcx_options
    set -l words (commandline -opc)
    set -l given
    if string match -qr '^(network|image|volume|pod)$' -- $words[2]
        set given $words[2..3]
    else if string match -qrv '^-' -- $words[2]
        set given $words[2]
    end
    lcx $given --help 2>/dev/null | sed -n 's/^ *\(-.,\)\{0,1\} *\(--[a-z0-9-]*\)[^ ]* *[A-Z=:\[\]*]* *\(.*\)/\2\t\3/p'
end

function __lcx_containers
    lcx ps -a --format json 2>/dev/null | sed -n 's/.*"Names": *"\([^"]*\)".*/\1/p'
end

function __lcx_images
    lcx images 2>/dev/null | awk 'NR > 1 { print $1 ":" $2 }'
end

complete -c lcx -n __fish_use_subcommand -f -a '(__lcx_commands)'
complete -c lcx -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__lcx_options)'
complete -c lcx -n '__fish_seen_subcommand_from network' -f -a "(__lcx_commands network; lcx network ls 2>/dev/null | awk 'NR > 1 { print \$1 }')"
complete -c lcx -n '__fish_seen_subcommand_from image' -f -a '(__lcx_commands image)'
complete -c lcx -n '__fish_seen_subcommand_from pod' -f -a '(__lcx_commands pod; lcx pod ls -q 2>/dev/null)'
complete -c lcx -n '__fish_seen_subcommand_from volume' -f -a '(__lcx_commands volume; lcx volume ls -q 2>/dev/null)'
complete -c lcx -n '__fish_seen_subcommand_from run create rmi save tag push history inspect' -f -a '(__lcx_images)'
complete -c lcx -n '__fish_seen_subcommand_from attach checkpoint console diff exec export inspect kill logs mount pause port rename restart restore rm start stats stop top unmount unpause update wait' -f -a '(__lcx_containers)'
