import ArgumentParser

/// The script that teaches a shell what can follow `coder-cred`: the argument parser's, with what it
/// does not know.
///
/// What follows `exec --` is another program's command line, so that program's own completion is asked.
/// And bash splits words at colons, of which every URL has one.
enum CompletionScript {
  /// The option by which it is asked for, as for every program of this argument parser.
  static let option = "--generate-completion-script"

  /// What a command line asks for; nil when it asks for something else.
  ///
  /// - Returns: the shell as it is named; empty when none is.
  static func shell(in arguments: [String]) -> String? {
    guard let first = arguments.first else { return nil }
    if first == option { return arguments.dropFirst().first ?? "" }
    return first.hasPrefix(option + "=") ? String(first.dropFirst(option.utf8.count + 1)) : nil
  }

  /// The script for a shell: `bash`, `zsh` or `fish`, or with an empty name the one in `SHELL`.
  ///
  /// - Throws: a failure for any other shell.
  static func text(for name: String, _ environment: Environment) throws(Failure) -> String {
    let own = environment["SHELL"]?.utf8.split(separator: UInt8(ascii: "/")).last
    let name = name.isEmpty ? own.flatMap { String($0) } ?? "" : name
    guard let shell = CompletionShell(rawValue: name) else {
      throw Failure(
        .fixTheCall, "there are completions for bash, zsh and fish",
        hint: "coder-cred \(option) bash")
    }
    let script = CoderCred.completionScript(for: shell)
    return switch shell {
    case .bash: script.replacing(bashEnd, with: bash)
    case .zsh: script.replacing(zshStart, with: zshStart + zsh)
    default: script + "\n" + fish
    }
  }

  // MARK: bash

  private static let bashEnd = "complete -o filenames -F _coder-cred coder-cred"

  private static let bash = #"""
    # What follows exec -- is completed as a command line of its own.
    _coder_cred_after_exec() {
        local -i end
        for ((end = 1; end < COMP_CWORD; end++)); do
            [[ "${COMP_WORDS[end]}" == -- ]] && break
        done
        [[ "${end}" -lt "${COMP_CWORD}" && " ${COMP_WORDS[*]:1:end} " == *' exec '* ]] || return 1
        if declare -F _command_offset >/dev/null; then
            _command_offset "$((end + 1))"
        elif [[ "${COMP_CWORD}" -eq "$((end + 1))" ]]; then
            mapfile -t COMPREPLY < <(compgen -c -- "${1}")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "${1}")
        fi
    }

    # Bash takes a colon for a word of its own, and completes what follows the last one.
    _coder_cred_with_colons() {
        _coder_cred_after_exec "${2}" && return
        local -a joined=()
        local word is_open=''
        local -i index cursor=0
        for ((index = 0; index < ${#COMP_WORDS[@]}; index++)); do
            word="${COMP_WORDS[index]}"
            if [[ ${#joined[@]} -gt 0 && ( "${word}" == :* || -n "${is_open}" ) ]]; then
                joined[-1]+="${word}"
            else
                joined+=("${word}")
            fi
            is_open=''
            [[ "${word}" == : ]] && is_open=yes
            [[ "${index}" -eq "${COMP_CWORD}" ]] && cursor=$((${#joined[@]} - 1))
        done
        local -a COMP_WORDS=("${joined[@]}")
        local -i COMP_CWORD="${cursor}"
        local current="${joined[cursor]}"
        _coder-cred "${1}" "${current}" "${joined[cursor - 1]}"
        local before="${current%"${current##*:}"}"
        COMPREPLY=("${COMPREPLY[@]#"${before}"}")
    }

    complete -F _coder_cred_with_colons coder-cred
    """#

  // MARK: zsh

  private static let zshStart = "\n_coder-cred() {\n"

  private static let zsh = #"""
        # What follows exec -- is completed as a command line of its own.
        local -i end_of_options="${words[(ie)--]}"
        if (( end_of_options < CURRENT && ${words[(ie)exec]} < end_of_options )); then
            shift end_of_options words
            (( CURRENT -= end_of_options ))
            _normal
            return
        fi


    """#

  // MARK: fish

  private static let fish = #"""

    # What follows exec -- is completed as a command line of its own.
    function __coder_cred_is_after_exec
        set -l words (commandline -opc)
        contains -- -- $words; and contains -- exec $words[1..(contains -i -- -- $words)]
    end

    function __coder_cred_complete_after_exec
        set -l words (commandline -opc)
        set -l rest $words[(math (contains -i -- -- $words) + 1)..]
        complete -C "$(string join ' ' -- (string escape -- $rest) (commandline -ct))"
    end

    complete -c 'coder-cred' -n __coder_cred_is_after_exec -kfa '(__coder_cred_complete_after_exec)'
    """#
}
