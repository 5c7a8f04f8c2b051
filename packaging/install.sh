#!/bin/sh
# Installs coder-cred from the directory that holds this file, or removes what it installed.
# usage: ./install.sh [--user | --prefix DIRECTORY] [--uninstall]
#   --user       into ~/.local, for you alone; the default is /usr/local
#   --uninstall  removes the files that were installed there; sessions stay in your keyring
set -eu

fail() { echo "install.sh: $*" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
prefix=/usr/local uninstall=no
[ ! -e "$here/installed" ] || prefix=${here%/libexec/coder-cred}
while [ $# -gt 0 ]; do
  case $1 in
    --user) prefix=${HOME:?}/.local ;;
    --prefix) [ $# -gt 1 ] || fail "--prefix wants a directory"; prefix=$2; shift ;;
    --uninstall) uninstall=yes ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
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
list=$prefix/libexec/coder-cred/installed
applications=$prefix/share/applications

remove() {
  while IFS= read -r file; do rm -f "$prefix/$file"; done <"$list"
  rm -f "$list"
  update_handlers
  # Directories that are empty now, the deepest first. What others put there stays.
  for directory in libexec/coder-cred libexec bin share/man/man1 share/man/man5 share/man/man7 share/man \
    share/bash-completion/completions share/bash-completion share/zsh/site-functions share/zsh \
    share/fish/vendor_completions.d share/fish share/systemd/user share/systemd \
    share/icons/hicolor/scalable/apps share/icons/hicolor/scalable share/icons/hicolor share/icons \
    share/metainfo share/doc/coder-cred share/doc share/applications share .; do
    rmdir "$prefix/${directory#.}" 2>/dev/null || :
  done
}
# Desktops look up who opens a link in a cache. Where no application is left, it goes, too.
update_handlers() {
  update-desktop-database -q "$applications" 2>/dev/null || :
  case $(ls -A "$applications" 2>/dev/null) in
    mimeinfo.cache) rm "$applications/mimeinfo.cache" ;;
  esac
}

if [ "$uninstall" = yes ]; then
  [ -e "$list" ] || fail "nothing of coder-cred was installed into $prefix by install.sh"
  remove
  echo "Removed from $prefix. Sessions stay in your keyring; the timer, if you enabled it: systemctl --user disable --now coder-cred-refresh.timer"
  exit 0
fi

[ -d "$here/libexec" ] || fail "there is nothing beside this file to install"
[ ! -e "$list" ] || remove
mkdir -p "$prefix/libexec/coder-cred" || fail "$prefix cannot be written: try --user"
# In units and desktop files a path with blanks stands in quotation marks.
command=$prefix/bin/coder-cred
case $command in
  *' '*) command="\"$command\"" ;;
esac
quoted=$(printf '%s' "$command" | sed 's/[&|]/\\&/g')
(cd "$here" && find bin libexec share \( -type f -o -type l \) | LC_ALL=C sort) >"$list.new"
while IFS= read -r file; do
  mkdir -p "$prefix/$(dirname "$file")"
  rm -f "$prefix/$file"
  case $file in
    *.service | *.desktop | */README.md)
      sed "s|/usr/bin/coder-cred|$quoted|g" "$here/$file" >"$prefix/$file"
      chmod 644 "$prefix/$file" ;;
    *) cp -P "$here/$file" "$prefix/$file" ;;
  esac
done <"$list.new"
echo libexec/coder-cred/install.sh >>"$list.new"
cp "$0" "$prefix/libexec/coder-cred/install.sh"
mv "$list.new" "$list"
update_handlers

echo "Installed into $prefix; to remove it again: $prefix/libexec/coder-cred/install.sh --uninstall"
case :$PATH: in
  *":$prefix/bin:"*) ;;
  *) echo "Put it on your PATH:               PATH=\"$prefix/bin:\$PATH\"" ;;
esac
case $prefix in
  /usr/local | "${HOME:-}/.local") timer=coder-cred-refresh.timer ;;
  *) timer="\"$prefix/share/systemd/user/coder-cred-refresh.timer\" \"$prefix/share/systemd/user/coder-cred-refresh.service\"" ;;
esac
echo "Keep sessions fresh:               systemctl --user enable --now $timer"
echo "or, without systemd, from cron:    */10 * * * * XDG_RUNTIME_DIR=/run/user/$(id -u) $command refresh --due"
[ "$prefix" = /usr/local ] ||
  echo "Completions for zsh:               fpath=(\"$prefix/share/zsh/site-functions\" \$fpath)"
case $prefix in
  /usr/local | "${HOME:-}/.local") ;;
  *) echo "Completions for bash and fish:     XDG_DATA_DIRS=\"$prefix/share:\${XDG_DATA_DIRS:-/usr/local/share:/usr/share}\"" ;;
esac
