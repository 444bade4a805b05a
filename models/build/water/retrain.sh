#!/bin/sh
# Make the water model anew: sh models/build/water/retrain.sh FOLDER
# FOLDER takes a virtual environment, the rendered streets and the weights; what is there already is used again.
set -eu
here=$(dirname "$0")
folder=$1
streets=${STREETS:-35}
[ -d "$folder/venv" ] || python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q -r "$here/requirements.txt"
nice "$folder/venv/bin/python" "$here/panoramas.py" "$folder/panoramas"
nice "$folder/venv/bin/python" "$here/streets.py" "$folder/streets" "$streets" | grep ' s$'
nice "$folder/venv/bin/python" "$here/train.py" "$folder"
"$folder/venv/bin/python" "$here/export.py" "$folder/water.pt" "$here/../../zoo"
