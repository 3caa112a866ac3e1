#!/bin/sh
# Runs a command of tandem with the config of the volume, or else with that of the image.
set -eu
# One that the owner names is used or refused, and never replaced by another.
if [ -z "${TANDEM_CONFIG:-}" ]; then
    TANDEM_CONFIG=/data/tandem.yaml
    [ -e "$TANDEM_CONFIG" ] || TANDEM_CONFIG=/etc/tandem/tandem.yaml
fi
export TANDEM_CONFIG
if [ ! -w /data ]; then
    echo "tandem: /data is not writable for user $(id -u); on the host: chown $(id -u):$(id -g) the folder, or use a named volume" >&2
    exit 1
fi
exec tandem "$@"
