# SPDX-License-Identifier: Apache-2.0
# Completion of `caisson` for bash: source this file, or put it into /etc/bash_completion.d/.
# The options of a verb are read from its own --help, so that the two cannot differ.
_caisson()
{
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[0]} verb=${COMP_WORDS[1]-}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        local verbs
        verbs=$("$command" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$verbs --help --version" -- "$word")
        return
    fi
    case $previous in
    --backend)
        mapfile -t COMPREPLY < <(compgen -W "auto process kvm" -- "$word")
        return
        ;;
    --evidence)
        if [ "$verb" = run ]; then
            mapfile -t COMPREPLY < <(compgen -W "software tsm tpm nsm" -- "$word")
            return
        fi
        ;;
    --cmw | --form)
        mapfile -t COMPREPLY < <(compgen -W "json cbor" -- "$word")
        return
        ;;
    --key-type)
        mapfile -t COMPREPLY < <(compgen -W "aes-256 hmac ff1 ed25519 p-256 p-384 x25519 ml-kem-768" \
            -- "$word")
        return
        ;;
    --require)
        mapfile -t COMPREPLY < <(compgen -W "namespaces own-uid locked huge-pages secret" -- "$word")
        return
        ;;
    esac
    if [ "$verb" = keygen ] && [ "$COMP_CWORD" -eq 2 ]; then
        mapfile -t COMPREPLY < <(compgen -W "signer root weights tenant consumer producer" -- "$word")
        return
    fi
    if [ "$verb" = model ] && [ "$COMP_CWORD" -eq 2 ]; then
        mapfile -t COMPREPLY < <(compgen -W "pack show" -- "$word")
        return
    fi
    if [ "$verb" = bench ] && [ "$COMP_CWORD" -eq 2 ]; then
        local what
        what=$("$command" bench --help 2>/dev/null | sed -n 's/^usage: caisson bench //p' | tr '|' ' ')
        mapfile -t COMPREPLY < <(compgen -W "$what" -- "$word")
        return
    fi
    if [[ $word == -* ]]; then
        local options
        options=$("$command" "$verb" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)
        mapfile -t COMPREPLY < <(compgen -W "$options --json --help" -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -o filenames -F _caisson caisson
