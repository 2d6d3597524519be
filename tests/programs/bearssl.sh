# BearSSL: a Makefile, and its tests of cryptography; each word of `testcrypto` is one. Those of large keys take minutes and are left out.
# SPDX-License-Identifier: MIT
image=build/testcrypto expects=38

recipe_build() {
    make -j "$jobs" lib build/testcrypto DLL=no TOOLS=no CC="$CC" LD="$CC" AR="$AR"
}

recipe_test() {
    local test
    for test in MD5 SHA1 SHA224 SHA256 SHA384 SHA512 MD5_SHA1 multihash HMAC HKDF HMAC_DRBG AESCTR_DRBG PRF AES_big AES_small AES_ct \
        AES_ct64 AES_x86ni AES_CTRCBC_big AES_CTRCBC_x86ni DES_tab DES_ct ChaCha20_ct ChaCha20_sse2 Poly1305_ctmul Poly1305_ctmul32 \
        Poly1305_ctmulq Poly1305_i15 RSA_i31 RSA_i62 GHASH_ctmul GHASH_ctmul64 GHASH_pclmul CCM EAX GCM EC_p256_m31 EC_c25519_m31; do
        passes "$test" says_done boot build/testcrypto "$test"
    done
}

# Its status tells nothing of a name that it does not know.
says_done() {
    "$@" >said && grep -aq 'done\.' said && ! grep -aqiE 'fail|unknown' said
}
