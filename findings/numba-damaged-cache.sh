#!/usr/bin/env bash
# numba keeps compiled functions on disk (cache=True) and fails on every call, for good, where a file of that cache is
# cut, as a loss of power leaves it, though it could compile again. Ends with status 1 if that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numba==0.68.1
cd "$folder"
cat > one.py <<'PYTHON'
from numba import njit


@njit(cache=True)
def one_more(x):
    return x + 1


print(one_more(1))
PYTHON
export NUMBA_CACHE_DIR="$folder/cache"
echo "numba $(venv/bin/python -c 'import numba; print(numba.__version__)')"
echo "guess: a cache that cannot be read is no cache; the function is compiled again, and 2 is printed"
venv/bin/python one.py > /dev/null
index=$(find cache -name '*.nbi')
head -c 40 "$index" > cut && mv cut "$index"
echo "behaviour, with the index of the cache cut to 40 bytes, in three runs:"
same=0
for _ in 1 2 3; do
    if venv/bin/python one.py > said 2>&1; then cat said; else tail -n 1 said; same=$((same + 1)); fi
done
[ "$same" = 3 ] || { echo "the behaviour has changed"; exit 1; }
