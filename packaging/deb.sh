#!/usr/bin/env bash
# Makes a Debian package of what is built: packaging/deb.sh [BUILD-FOLDER [FOLDER]]
#
# By default of build/release, into build/. The dependencies are those that dpkg-shlibdeps finds in the binary, so the
# package is for the distribution on which it was built, and for newer ones with the same libraries.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build/release}
target=${2:-build}
die() { printf 'deb: %s\n' "$*" >&2; exit 1; }

for tool in dpkg-deb dpkg-shlibdeps cmake; do
    command -v "$tool" >/dev/null || die "$tool is missing: apt-get install dpkg-dev cmake"
done
[ -x "$build/tandem" ] || die "there is no $build/tandem; build it first: cmake --preset release && cmake --build --preset release"
version=$("$build/tandem" --version | cut -d' ' -f2)
architecture=$(dpkg --print-architecture)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/DEBIAN" "$target"

DESTDIR=$root cmake --install "$build" --prefix /usr --strip >"$work/log" 2>&1 || { cat "$work/log" >&2; die "cmake --install failed"; }
mkdir -p "$root/usr/share/zsh/vendor-completions"
mv "$root/usr/share/zsh/site-functions/_tandem" "$root/usr/share/zsh/vendor-completions/"
rmdir "$root/usr/share/zsh/site-functions"
gzip -9n "$root/usr/share/man/man1/tandem.1"
mv "$root/usr/share/doc/tandem/LICENSE" "$work/LICENSE"
install -D -m 644 packaging/debian/copyright "$root/usr/share/doc/tandem/copyright"
printf 'tandem (%s) stable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- Tandem <root@localhost>  %s\n' "$version" "$(date -uR -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}")" \
    | gzip -9n >"$root/usr/share/doc/tandem/changelog.gz"
install -D -m 640 packaging/tandem.yaml "$root/etc/tandem/tandem.yaml"
install -D -m 644 packaging/debian/default "$root/etc/default/tandem"
printf '/etc/tandem/tandem.yaml\n/etc/default/tandem\n' >"$root/DEBIAN/conffiles"
for script in preinst postinst prerm postrm; do
    [ -f "packaging/debian/$script" ] && install -m 755 "packaging/debian/$script" "$root/DEBIAN/$script"
done

mkdir -p "$work/debian"
printf 'Source: tandem\n\nPackage: tandem\nArchitecture: %s\n' "$architecture" >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O "root/usr/bin/tandem" 2>"$work/log") || { cat "$work/log" >&2; die "dpkg-shlibdeps failed"; }
depends=${depends#shlibs:Depends=}
[ -n "$depends" ] || die "dpkg-shlibdeps found no dependency"
size=$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@DEPENDS@/$depends/" -e "s/@SIZE@/$size/" \
    packaging/debian/control >"$root/DEBIAN/control"
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
chmod 755 "$root"
chmod -R u+rwX,go=rX "$root/usr" "$root/etc"
chmod 640 "$root/etc/tandem/tandem.yaml" "$root/etc/default/tandem"

package=$target/tandem_${version}_$architecture.deb
dpkg-deb --root-owner-group ${TANDEM_DEB_COMPRESSION:+-Z"$TANDEM_DEB_COMPRESSION"} --build "$root" "$package" >/dev/null
printf '%s\n' "$package"
