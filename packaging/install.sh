#!/bin/sh
# Installs coder-cred from the directory that holds this file, or removes what it installed.
# usage: ./install.sh [--user | --prefix DIRECTORY] [--uninstall]
#   --user       into ~/.local, for you alone; the default is /usr/local, for which a terminal is asked
#   --uninstall  removes the files that were installed there, and the directories that were made for them
set -eu

fail() { echo "install.sh: $*" >&2; exit 1; }
usage() { sed -n '2,5s/^# \{0,1\}//p' "$0"; }
# Asks at a terminal; where there is none the answer is yes.
agrees() {
  [ -t 0 ] && [ -t 2 ] || return 0
  printf '%s [y/N] ' "$1" >&2
  read -r answer || answer=
  case $answer in [yY]*) ;; *) return 1 ;; esac
}

here=$(cd "$(dirname "$0")" && pwd)
prefix=/usr/local uninstall=no chosen=no
[ ! -e "$here/installed" ] || { prefix=${here%/libexec/coder-cred}; chosen=yes; }
while [ $# -gt 0 ]; do
  case $1 in
    --user) prefix=${HOME:?}/.local chosen=yes ;;
    --prefix) [ $# -gt 1 ] || fail "--prefix wants a directory"; prefix=$2 chosen=yes; shift ;;
    --uninstall) uninstall=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
  esac
  shift
done
case $prefix in
  /*) prefix=${prefix%/} ;;
  *) fail "the prefix must start with /: $prefix" ;;
esac
case $prefix in
  *'
'* | *\"* | *\\* | *\`* | *\$* | *%*) fail "the prefix has a character that units and desktop files cannot name" ;;
esac
own=$prefix/libexec/coder-cred
list=$own/installed
# The directories that were made, the prefix being ".", each after the one that holds it.
made=$own/directories
applications=$prefix/share/applications
timer=coder-cred-refresh.timer

make_directory() { # DIRECTORY below the prefix
  [ ! -d "$prefix/$1" ] || return 0
  [ "$1" = . ] || make_directory "$(dirname "$1")"
  if [ "$1" = . ]; then mkdir -p "$prefix" || return 1; else mkdir "$prefix/$1" || return 1; fi
  new="$1
$new"
}
remove() {
  directories=$(cat "$made" 2>/dev/null || :)
  while IFS= read -r file; do rm -f "$prefix/$file"; done <"$list"
  rm -f "$list" "$made"
  update_handlers
  # What others put there meanwhile stays, and the directory with it.
  printf '%s\n' "$directories" | while IFS= read -r directory; do
    [ -z "$directory" ] || rmdir "$prefix/${directory#.}" 2>/dev/null || :
  done
}
# Desktops look up who opens a link in a cache. Where no application is left, it goes, too.
update_handlers() {
  update-desktop-database -q "$applications" 2>/dev/null || :
  case $(ls -A "$applications" 2>/dev/null) in
    mimeinfo.cache) rm "$applications/mimeinfo.cache" ;;
  esac
}
# Whether a file of a tool, or of the shell, names us. Which files those are the program knows.
names_us() { # TOOL
  PATH=$prefix/bin:$PATH "$prefix/bin/coder-cred" configure "$1" --url https://coder.example --print 2>/dev/null |
    sed -n 's/^\(\/.*\):$/\1/p' | { while IFS= read -r file; do grep -qs coder-cred "$file" && exit; done; exit 1; }
}
# What would be left behind, line by line.
leftovers() {
  for tool in coder vscode claude codex cargo go bazel terraform docker; do
    ! names_us "$tool" ||
      echo "$tool still asks coder-cred; before you go on, run: coder-cred configure $tool --unset"
  done
  ! git config --global --get-regexp '^credential\.(.*\.)?helper$' 2>/dev/null | grep -q coder-cred ||
    echo "git still asks coder-cred; before you go on, run: coder-cred configure git --unset"
  case $("$prefix/bin/coder-cred" list --json 2>/dev/null) in
    '[]') ;;
    '['*) echo "Your keyring still holds sessions or passwords; to end the sessions before: coder-cred logout --all" ;;
    *) echo "Your keyring cannot be looked into; what coder-cred keeps there stays." ;;
  esac
}

if [ "$uninstall" = yes ]; then
  [ -e "$list" ] || fail "nothing of coder-cred was installed into $prefix by install.sh"
  left=$(leftovers)
  [ -z "$left" ] || { echo "$left"; agrees "Remove coder-cred all the same?" || fail "nothing is removed"; }
  if systemctl --user is-enabled "$timer" >/dev/null 2>&1; then
    systemctl --user disable --now "$timer" 2>/dev/null || echo "The timer is still enabled: systemctl --user disable --now $timer"
  fi
  remove
  echo "Removed from $prefix."
  exit 0
fi

[ -d "$here/libexec" ] || fail "there is nothing beside this file to install"
[ "$chosen" = yes ] || agrees "Install into $prefix, for every user of this machine?" ||
  fail "nothing is installed; for you alone: ./install.sh --user"
[ ! -e "$list" ] || remove
new=
make_directory . && make_directory libexec/coder-cred || fail "$prefix cannot be written: try --user"
# In units and desktop files a path with blanks stands in quotation marks.
command=$prefix/bin/coder-cred
case $command in
  *' '*) command="\"$command\"" ;;
esac
quoted=$(printf '%s' "$command" | sed 's/[&|]/\\&/g')
(cd "$here" && find bin libexec share \( -type f -o -type l \) | LC_ALL=C sort) >"$list.new"
while IFS= read -r file; do
  make_directory "$(dirname "$file")"
  rm -f "$prefix/$file"
  case $file in
    *.service | *.desktop | */README.md)
      sed "s|/usr/bin/coder-cred|$quoted|g" "$here/$file" >"$prefix/$file"
      chmod 644 "$prefix/$file" ;;
    *) cp -P "$here/$file" "$prefix/$file" ;;
  esac
done <"$list.new"
echo libexec/coder-cred/install.sh >>"$list.new"
cp "$0" "$own/install.sh"
printf '%s' "$new" >"$made"
mv "$list.new" "$list"
update_handlers

echo "Installed into $prefix; to remove it again: $own/install.sh --uninstall"
case :$PATH: in
  *":$prefix/bin:"*) ;;
  *) echo "Put it on your PATH:               PATH=\"$prefix/bin:\$PATH\"" ;;
esac
case $prefix in
  /usr/local | "${HOME:-}/.local") ;;
  *) timer="\"$prefix/share/systemd/user/$timer\" \"$prefix/share/systemd/user/coder-cred-refresh.service\"" ;;
esac
echo "Keep sessions fresh:               systemctl --user enable --now $timer"
echo "or, without systemd, from cron:    */10 * * * * XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} $command refresh --due"
[ "$prefix" = /usr/local ] ||
  echo "Completions for zsh:               fpath=(\"$prefix/share/zsh/site-functions\" \$fpath)"
case $prefix in
  /usr/local | "${HOME:-}/.local") ;;
  *) echo "Completions for bash and fish:     export XDG_DATA_DIRS=\"$prefix/share:\${XDG_DATA_DIRS:-/usr/local/share:/usr/share}\"" ;;
esac
[ -e /usr/share/bash-completion/bash_completion ] ||
  echo "Completions for bash:              . \"$prefix/share/bash-completion/completions/coder-cred\""
echo "Next:                              coder-cred login URL"
