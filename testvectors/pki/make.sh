#!/bin/sh
# Makes the certificates of this directory anew, with OpenSSL 3. Keys are for tests only.
# Valid from 2026-01-01 to 2126-01-01 unless the name says otherwise; tests look at them as of 2026-06-01.
set -eu
cd "$(dirname "$0")"
rm -f ./*.pem ./*.der
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: > "$work/index"
cat > "$work/ca.cnf" <<CNF
[ca]
default_ca = test
[test]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
policy = any
copy_extensions = none
email_in_dn = no
[any]
commonName = supplied
CNF
from=20260101000000Z
to=21260101000000Z

key() { # name, genpkey options
    name=$1; shift
    openssl genpkey "$@" -out "$name.key.pem" 2>/dev/null
}

# Usage: issue name cn issuer|self digest extensions [sigopt]; the key is name.key.pem.
issue() {
    name=$1; cn=$2; issuer=$3; digest=$4; printf '%b\n' "$5" > "$work/ext"; shift 5
    openssl req -new -key "$name.key.pem" -subj "/CN=$cn" -out "$work/csr" 2>/dev/null
    if [ "$issuer" = self ]; then
        signer="-selfsign -keyfile $name.key.pem"
    else
        signer="-cert $issuer.pem -keyfile $issuer.key.pem"
    fi
    # shellcheck disable=SC2086
    openssl ca -batch -notext -config "$work/ca.cnf" -in "$work/csr" -out "$name.pem" $signer \
        -startdate "$from" -enddate "$to" -md "$digest" -extfile "$work/ext" "$@" 2> "$work/log" \
        || { cat "$work/log"; exit 1; }
}

p256="-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
p384="-algorithm EC -pkeyopt ec_paramgen_curve:P-384"
rsa="-algorithm RSA -pkeyopt rsa_keygen_bits:2048"
ids="subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid"
ca="basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n$ids"
usage="basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature"
names="subjectAltName=DNS:localhost,DNS:*.example.test,IP:127.0.0.1,IP:::1"
leaf="$usage\nextendedKeyUsage=serverAuth,clientAuth\n$ids\n$names"

# shellcheck disable=SC2086
{
    key root $p256; key intermediate $p384; key rsa-root $rsa
    key p256 $p256; key p384 $p384; key ed25519 -algorithm ED25519; key rsa2048 $rsa
    for name in other-root self-signed expired not-yet-valid wrong-eku client-only no-san no-signing sha1 md5 pss \
        pss-sha1 pkcs1-sha512 critical fake-ca under-fake constrained under-constrained no-cert-sign under-no-cert-sign \
        second under-second old-ca under-old policy; do
        key "$name" $p256
    done
}

issue root "Test Root" self sha256 "$ca"
issue other-root "Other Root" self sha256 "$ca"
issue rsa-root "RSA Root" self sha256 "$ca"
issue intermediate "Test Intermediate" root sha256 "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n$ids"
for name in p256 p384 ed25519 rsa2048; do
    issue "$name" "$name" intermediate sha384 "$leaf"
done
issue self-signed "Self Signed" self sha256 "$usage\n$names"
issue wrong-eku "wrong-eku" root sha256 "$usage\nextendedKeyUsage=emailProtection\n$ids\n$names"
issue client-only "client-only" root sha256 "$usage\nextendedKeyUsage=clientAuth\n$ids\n$names"
issue no-san localhost root sha256 "$usage\nextendedKeyUsage=serverAuth\n$ids"
issue no-signing "no-signing" root sha256 "basicConstraints=CA:FALSE\nkeyUsage=critical,keyAgreement\n$ids\n$names"
issue critical "critical" root sha256 "$leaf\n1.3.6.1.4.1.55555.1=critical,ASN1:NULL"
issue policy "policy" root sha256 "$leaf\ncertificatePolicies=critical,1.3.6.1.4.1.55555.2"
issue sha1 "sha1" rsa-root sha1 "$leaf"
issue md5 "md5" rsa-root md5 "$leaf"
issue pkcs1-sha512 "pkcs1-sha512" rsa-root sha512 "$leaf"
issue pss "pss" rsa-root sha256 "$leaf" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
issue pss-sha1 "pss-sha1" rsa-root sha1 "$leaf" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20
issue fake-ca "Fake CA" root sha256 "$leaf"
issue under-fake "under-fake" fake-ca sha256 "$leaf"
issue no-cert-sign "CA Without keyCertSign" root sha256 "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n$ids"
issue under-no-cert-sign "under-no-cert-sign" no-cert-sign sha256 "$leaf"
issue constrained "Constrained CA" root sha256 "$ca\nnameConstraints=critical,permitted;DNS:example.test"
issue under-constrained "under-constrained" constrained sha256 "$leaf"
issue second "Second Intermediate" intermediate sha256 "$ca"
issue under-second "under-second" second sha256 "$leaf"
from=20200101000000Z
to=20210101000000Z
issue expired "expired" root sha256 "$leaf"
issue old-ca "Old CA" root sha256 "$ca"
to=21260101000000Z
issue under-old "under-old" old-ca sha256 "$leaf"
from=21000101000000Z
issue not-yet-valid "not-yet-valid" root sha256 "$leaf"

# Other encodings, for the tests of loading.
cat p256.pem intermediate.pem > chain.pem
cat intermediate.pem p256.pem > chain-reversed.pem
openssl x509 -in p256.pem -outform DER -out p256.der
openssl pkcs8 -topk8 -nocrypt -in p256.key.pem -outform DER -out p256.key.der
openssl ec -in p256.key.pem -out p256.sec1.pem 2>/dev/null
openssl rsa -in rsa2048.key.pem -traditional -out rsa2048.pkcs1.pem 2>/dev/null
openssl pkcs8 -topk8 -in p256.key.pem -passout pass:test -out p256.encrypted.pem
openssl req -new -key p256.key.pem -subj /CN=request -out request.pem
openssl pkey -in p256.key.pem -pubout -out p256.pub.pem
# Keys that no test loads.
find . -name '*.key.pem' ! -name 'p256*' ! -name 'p384*' ! -name 'ed25519*' ! -name 'rsa2048*' ! -name 'self-signed*' \
    -exec rm {} +
