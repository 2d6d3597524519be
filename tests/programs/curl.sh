# curl: configure, libtool and make, without TLS. Its own tests, runtests.pl and its servers on the host, call curl/client, which boots curl: a machine for each.
# SPDX-License-Identifier: MIT
# They are 116 of the first 130 tests that need a server of HTTP alone and no proxy. Thirteen of the others compare standard output or error output, which are one here;
# 22 has an argument of 10,000 bytes. The servers are built beside it for the host, whose own curl asks whether they run.
link=net,devfs,procfs,virtio_9p image=src/curl expects=118
without=(--disable-shared --without-ssl --without-libpsl --without-zlib --without-brotli --without-zstd --without-nghttp2 --without-libidn2
    --disable-ldap --disable-manual)
tests="1 2 3 4 6 7 10 11 12 13 14 17 23 25 26 27 28 29 30 32 33 34 35 36 37 38 40 42 45 47 48 49 50 51 52 53 54 55 56 58 59 60 62 73 74 77 78 86 92 97 98 129
151 152 156 157 164 172 174 178 180 181 187 188 189 194 198 199 207 218 249 260 262 266 268 274 276 281 282 292 293 327 334 339 341 342 343 344 345
347 349 357 360 361 365 366 367 368 376 379 383 384 385 391 393 394 395 398 415 434 490 491 492 495 679 682"

recipe_build() {
    cp -a . ../client
    ./configure --host="$host" --enable-debug "${without[@]}"
    make -C lib -j "$jobs" libcurl.la
    make -C src -j "$jobs" curl
    (cd ../client && CC=gcc AR=ar RANLIB=ranlib PKG_CONFIG=pkg-config ./configure "${without[@]}")
    make -C ../client/tests/server -j "$jobs"
}

recipe_test() {
    export CURL_IMAGE=$PWD/src/curl
    passes "says its version" boot src/curl --version
    passes "its tests" its_tests
    count "$(sed -n 's/^TESTDONE: \([0-9]*\) tests out of .*/\1/p' output)" "$(sed -n 's/^TESTDONE: .* out of \([0-9]*\) reported.*/\1/p' output)"
}

its_tests() (
    cd ../client/tests
    perl runtests.pl -a -n -c "$recipes/curl/client" -vc "$(command -v curl)" $tests
)
