# nginx: its own configure and make, without PCRE and zlib, one process (`master_process off`). configure runs what it has linked by
# `objs/autotest`; nginx/cc makes that a script that boots it. curl and ab on the host speak to the server over 127.0.0.1.
# SPDX-License-Identifier: MIT
link=net,tmpfs,devfs,malloc_block image=objs/nginx expects=7

recipe_build() {
    local files=$PWD/../files part parts=()
    mkdir -p "$files/conf" "$files/site"
    cp "$recipes/nginx/nginx.conf" "$files/conf/"
    cp "$top/bench/web/page.html" "$files/site/index.html"
    cat src/core/ngx_string.c src/core/nginx.c >"$files/site/large.txt"
    for part in client-body proxy fastcgi uwsgi scgi; do
        parts+=("--http-$part-temp-path=/tmp/$part")
    done
    ./configure --crossbuild=Linux:6:x86_64 --with-cc="$recipes/nginx/cc" --with-cc-opt=-O2 --without-http_rewrite_module --without-http_gzip_module \
        --prefix=/ --error-log-path=stderr --pid-path=/tmp/nginx.pid --lock-path=/tmp/nginx.lock "${parts[@]}"
    BAREMETAL_FILES=$files make -j "$jobs"
}

recipe_test() {
    local server status=0
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    PORT=$port boot objs/nginx >console 2>&1 &
    server=$!
    passes "starts" timeout 60 curl -s --retry 50 --retry-all-errors --retry-delay 1 -o /dev/null "http://127.0.0.1:$port/"
    prints "a page" ../files/site/index.html fetch /
    prints "a large file" ../files/site/large.txt fetch /large.txt
    dd if=../files/site/large.txt of=part bs=1 skip=999 count=101 status=none
    passes "a range" cmp part <(fetch /large.txt -r 999-1099)
    passes "a file that is not there" [ "$(fetch /none -o /dev/null -w '%{http_code}')" = 404 ]
    passes "2,000 requests on 20 connections" eval 'timeout 120 ab -q -k -c 20 -n 2000 "http://127.0.0.1:$port/" | grep -E "^(Complete requests: +2000|Failed requests: +0)$" | wc -l | grep -qx 2'
    kill $server || true
    wait $server || status=$?
    cat console >>"$log"
    passes "ran until it was ended" [ $status -eq 143 ]
}

fetch() {
    curl -s --max-time 30 "${@:2}" "http://127.0.0.1:$port$1"
}
