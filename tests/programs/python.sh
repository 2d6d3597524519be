# CPython: configure and make, its extension modules built in (there is no loading at run time), zlib from its own pin. Its suite runs by
# test.regrtest in the machine, the standard library and the tests in an archive from the loader; modules are those of python/modules.
# SPDX-License-Identifier: MIT
link=net,devfs,initrd,procfs image=python expects=249 patience=1200

# The Python of the same version that writes the frozen modules; 3.11 of the host.
recipe_build() {
    local zlib
    unpack zlib ../zlib
    (cd ../zlib && CHOST=$host ./configure --static && make -j "$jobs" libz.a)
    zlib=$(cd ../zlib && pwd)
    READELF=$(command -v readelf) MODULE_BUILDTYPE=static ZLIB_CFLAGS=-I$zlib ZLIB_LIBS=$zlib/libz.a ./configure --host="$host" \
        --build=x86_64-pc-linux-gnu --with-build-python="$(command -v python3.11)" --prefix=/usr --disable-shared --without-ensurepip \
        ac_cv_file__dev_ptmx=no ac_cv_file__dev_ptc=no ac_cv_buggy_getaddrinfo=no
    sed '/^\*shared\*/,$d' Modules/Setup.stdlib >Modules/Setup.local
    make -j "$jobs" OPT="-DNDEBUG -O2 -fomit-frame-pointer" python
    make OPT="-DNDEBUG -O2 -fomit-frame-pointer" pybuilddir.txt || [ -s pybuilddir.txt ]
    "$recipes/python/make-library" . ../library
    mkdir -p ../library/tests
    cp "$recipes/python/run_tests.py" ../library/tests/
    tar --format=ustar -C ../library -cf ../library.tar .
}

recipe_test() {
    local modules batch=0
    passes "says what it is" python -c 'import sys, zlib, asyncio; assert sys.version_info[:2] == (3, 11)'
    while read -r modules; do
        batch=$((batch + 1))
        python /tests/run_tests.py --timeout 300 $modules >said 2>&1 || true # each module that failed is counted
        { echo "== modules, batch $batch"; cat said; } >>"$log"
        suite "$modules"
    done < <(grep -v '^#' "$recipes/python/modules")
}

python() {
    CMDLINE=env.HOME=/tmp QEMU_ARGS="-initrd ../library.tar" baremetal-run --memory 1536 --cpus 2 --timeout "$patience" ./python "$@" </dev/null
}

# suite MODULES: what regrtest said of them in `said`; one that was not run when the machine ended has failed.
suite() {
    local module passed=0 total=0
    grep -aq 'Tests result: ' said || say "$name: a batch did not end; its last line: $(tail -n 1 said | tr -cd '[:print:]')"
    for module in $1; do
        total=$((total + 1))
        # Begun, not failed, and not the one at which the time was over.
        if grep -aqE "\[ *[0-9]+/[0-9]+(/[0-9]+)?\] $module( |$)" said && ! grep -aqE "(^test | -- )$module (failed|crashed)" said &&
            ! { grep -aq 'Timeout (' said && [ "$module" = "$(last_started)" ]; }; then
            passed=$((passed + 1))
        else
            say "$name: $module failed"
        fi
    done
    count $passed $total
}

last_started() {
    grep -aoE '\[ *[0-9]+/[0-9]+(/[0-9]+)?\] test_[a-z0-9_]+' said | tail -n 1 | sed 's/.* //'
}
