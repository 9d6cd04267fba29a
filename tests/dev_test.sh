#!/bin/sh
# SPDX-License-Identifier: MIT
# Tests how ./dev installs missing packages: with apt-get, sudo and id replaced, and CMake hidden.
set -u
dev=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)/dev
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin"
for program in sh sed grep getconf dirname env; do
  ln -s "$(command -v $program)" "$folder/bin/"
done
replace() { printf '#!/bin/sh\n%s\n' "$2" >"$folder/bin/$1" && chmod +x "$folder/bin/$1"; }
# The fake apt-get makes the packages available; configuring then fails, which is enough.
replace apt-get 'echo "$@" >>'"$folder/installed"'; for program in cmake ninja c++; do ln -sf /bin/false '"$folder"'/bin/$program; done'
replace sudo 'echo sudo >>'"$folder/installed"'; exec "$@"'

failed=0
# expect TITLE USER-ID no|apt|sudo TEXT COMMAND...: runs ./dev demo by the command, without its programs.
expect() {
  title=$1 installed=$3 text=$4
  replace id "echo $2"
  shift 4
  rm -f "$folder/installed" "$folder/bin/cmake" "$folder/bin/ninja" "$folder/bin/c++"
  said=$("$@" 2>&1)
  was=no
  [ ! -f "$folder/installed" ] || was=apt
  ! grep -qs sudo "$folder/installed" || was=sudo
  case $was:$said in
    "$installed:"*'cmake ninja-build g++'*"$text"*) echo "ok: $title" ;;
    *)
      printf 'FAILED: %s: installed: %s\n%s\n' "$title" "$was" "$said"
      failed=1
      ;;
  esac
}
demo="env -u CI -u CXX PATH=$folder/bin sh $dev demo"
expect 'root is not asked, and needs no sudo' 0 apt '' sh -c "$demo </dev/null"
expect 'with CI set nobody is asked' 1000 sudo '' env -u CXX CI=1 PATH="$folder/bin" sh "$dev" demo
expect 'without a terminal nothing is installed' 1000 no 'is no terminal' sh -c "$demo </dev/null"
if command -v script >/dev/null; then
  expect 'a user who agrees is asked' 1000 sudo 'with sudo? [y/N]' sh -c "echo y | script -qec '$demo' /dev/null"
  expect 'a user who does not agree gets nothing' 1000 no 'not installed' sh -c "echo n | script -qec '$demo' /dev/null"
else
  echo 'skipped: no script(1) here, so the question on a terminal is not tried'
fi
exit $failed
