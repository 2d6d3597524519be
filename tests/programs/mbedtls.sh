# Mbed TLS: a Makefile, and its self-test. Left out: `timing` and `entropy`, which want setitimer and /dev/urandom.
# SPDX-License-Identifier: MIT
image=programs/test/selftest expects=212

recipe_build() {
    make -j "$jobs" lib CC="$CC" AR="$AR" RLD="$CC"
    make -C programs -j "$jobs" test/selftest CC="$CC" AR="$AR"
}

recipe_test() {
    local said
    passes "selftest without timing and entropy" boot programs/test/selftest -x timing entropy
    said=$(grep -acE ': *(passed|failed)' output || true)
    count "$(grep -acE ': *passed' output || true)" "$said"
}
