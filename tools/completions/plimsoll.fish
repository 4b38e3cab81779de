# fish completion of plimsoll. Made from its tables of commands and options: change those, not this.

# Whether the words before the cursor begin with this command ("db build"; "" where there is none yet).
function __plimsoll_at
    set -l words (commandline -opc)[2..]
    set -l command $words[1]
    if test "$command" = db
        set command (string join ' ' $words[1..2])
    end
    test "$command" = "$argv[1]"
end

# Values of a list, behind those that are there already.
function __plimsoll_list
    set -l before (string match -r '.*,' -- (commandline -ct))
    for value in $argv
        echo "$before$value"
    end
end

@fish-commands@
@fish-options@
complete -c plimsoll -f -n '__plimsoll_at ""' -s h -l help -d 'show help'
complete -c plimsoll -f -n '__plimsoll_at ""' -s V -l version -d 'show the version'
complete -c plimsoll -x -n '__plimsoll_at fs' -a '(__fish_complete_directories)'
