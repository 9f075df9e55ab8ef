#!/bin/sh
# Makes the files of this directory anew, with OpenSSL 3. No key is kept.
# Certificates are valid from 2026-01-01 to 2126-01-01 and CRLs from 2026-01-02 to 2125-01-01 unless the name says
# otherwise. OCSP responses begin when they are made and last 100 years, or a day where the name says stale: tests look
# at them as of 2030-01-01.
set -eu
cd "$(dirname "$0")"
rm -f ./*.pem ./*.der ./*.crl ./*.ocsp
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
from=20260101000000Z
to=21260101000000Z
crl_from=20260102000000Z
crl_to=21250101000000Z

quiet() {
    "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
}

# The database of an authority.
config() { # authority
    : > "$work/$1.index"
    [ -f "$work/$1.number" ] || echo 01 > "$work/$1.number"
    cat > "$work/$1.cnf" <<CNF
[ca]
default_ca = test
[test]
database = $work/$1.index
new_certs_dir = $work
default_md = sha256
rand_serial = yes
unique_subject = no
policy = any
copy_extensions = none
email_in_dn = no
crlnumber = $work/$1.number
[any]
commonName = supplied
[plain]
authorityKeyIdentifier = keyid
[indirect]
issuingDistributionPoint = critical, @indirect_point
[indirect_point]
indirectCRL = TRUE
[delta]
2.5.29.27 = critical, ASN1:INTEGER:1
[reasons]
issuingDistributionPoint = critical, @reasons_point
[reasons_point]
fullname = URI:http://crl.example.test/reasons
onlysomereasons = keyCompromise
[users]
issuingDistributionPoint = critical, @users_point
[users_point]
onlyuser = TRUE
[authorities]
issuingDistributionPoint = critical, @authorities_point
[authorities_point]
onlyCA = TRUE
[attributes]
issuingDistributionPoint = critical, @attributes_point
[attributes_point]
onlyAA = TRUE
[point]
issuingDistributionPoint = critical, @point_point
[point_point]
fullname = URI:http://crl.example.test/one
[critical]
1.3.6.1.4.1.55555.1 = critical, ASN1:NULL
CNF
}

# Usage: issue name cn authority|self extensions; the authority's files have its name.
issue() {
    printf '%b\n' "$4" > "$work/ext"
    quiet openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$1.key"
    quiet openssl req -new -key "$work/$1.key" -subj "/CN=$2" -out "$work/csr"
    if [ "$3" = self ]; then
        config "$1"; database=$1; signer="-selfsign -keyfile $work/$1.key"
    else
        database=$3; signer="-cert $3.pem -keyfile $work/$3.key"
    fi
    # shellcheck disable=SC2086
    quiet openssl ca -batch -notext -config "$work/$database.cnf" -in "$work/csr" -out "$1.pem" $signer \
        -startdate "$from" -enddate "$to" -md sha256 -extfile "$work/ext"
}

revoke() { # name authority reason
    quiet openssl ca -config "$work/$2.cnf" -cert "$2.pem" -keyfile "$work/$2.key" -revoke "$1.pem" -crl_reason "$3"
}

# Usage: crl name authority extensions [options]
crl() {
    name=$1; authority=$2; extensions=$3; shift 3
    quiet openssl ca -config "$work/$authority.cnf" -cert "$authority.pem" -keyfile "$work/$authority.key" -gencrl \
        -crl_lastupdate "$crl_from" -crl_nextupdate "$crl_to" -md sha256 -crlexts "$extensions" "$@" -out "$work/crl"
    quiet openssl crl -in "$work/crl" -outform DER -out "$name.crl"
}

# Usage: respond name certificate authority signer [options of the response]; a digest of the request in $digest.
respond() {
    name=$1; certificate=$2; authority=$3; signer=$4; shift 4
    # shellcheck disable=SC2086
    quiet openssl ocsp -issuer "$authority.pem" ${digest:-} -cert "$certificate.pem" -no_nonce -reqout "$work/request"
    quiet openssl ocsp -index "$work/$authority.index" -CA "$authority.pem" -rsigner "$signer.pem" \
        -rkey "$work/$signer.key" -reqin "$work/request" -respout "$name.ocsp" "$@"
}

ids="subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid"
ca="basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n$ids"
leaf="basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n$ids"
leaf="$leaf\nsubjectAltName=DNS:localhost"
signing="basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n$ids\nextendedKeyUsage"

issue root "Revocation Root" self "$ca"
for name in intermediate "revoked-ca" "no-crl-sign" "no-key-usage" "feature-ca"; do
    case $name in
        no-crl-sign) extensions="basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n$ids" ;;
        no-key-usage) extensions="basicConstraints=critical,CA:TRUE\n$ids" ;;
        feature-ca) extensions="$ca\ntlsfeature=status_request" ;;
        *) extensions=$ca ;;
    esac
    config "$name"
    issue "$name" "$name" root "$extensions"
done
# Another key under the intermediate's name.
issue impostor intermediate self "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign"

issue good good intermediate "$leaf"
issue second second intermediate "$leaf"
issue revoked revoked intermediate "$leaf"
issue must-staple must-staple intermediate "$leaf\ntlsfeature=status_request"
issue pointed pointed intermediate "$leaf\ncrlDistributionPoints=URI:http://crl.example.test/one,URI:http://crl.example.test/two"
issue under-revoked-ca under-revoked-ca revoked-ca "$leaf"
issue under-no-crl-sign under-no-crl-sign no-crl-sign "$leaf"
issue under-no-key-usage under-no-key-usage no-key-usage "$leaf"
issue under-feature-ca under-feature-ca feature-ca "$leaf"
issue self-signed self-signed self "$leaf"
issue self-must-staple self-must-staple self "$leaf\ntlsfeature=status_request"
issue delegate delegate intermediate "$signing=OCSPSigning\nnoCheck=ignored"
issue revoked-delegate revoked-delegate intermediate "$signing=OCSPSigning"
issue no-delegate no-delegate intermediate "$signing=anyExtendedKeyUsage"
issue foreign-delegate foreign-delegate root "$signing=OCSPSigning"
from=20200101000000Z
to=20210101000000Z
issue old-delegate old-delegate intermediate "$signing=OCSPSigning"

crl older intermediate plain
revoke revoked intermediate keyCompromise
revoke revoked-delegate intermediate superseded
crl intermediate intermediate plain
openssl crl -inform DER -in intermediate.crl -out intermediate.crl.pem
for name in indirect delta reasons users authorities attributes point critical; do
    crl "$name" intermediate "$name"
done
crl sha1 intermediate plain -md sha1
crl impostor impostor plain
crl no-crl-sign no-crl-sign plain
crl no-key-usage no-key-usage plain
revoke revoked-ca root cACompromise
crl root root plain
crl_to=20260202000000Z
crl stale intermediate plain

long="-ndays 36500"
# shellcheck disable=SC2086
{
    respond good good intermediate intermediate $long
    respond revoked revoked intermediate intermediate $long
    respond second second intermediate intermediate $long
    respond must-staple must-staple intermediate intermediate $long
    respond intermediate intermediate root root $long
    respond revoked-ca revoked-ca root root $long
    respond stale good intermediate intermediate -ndays 1
    respond no-next-update good intermediate intermediate
    respond by-key good intermediate intermediate $long -resp_key_id
    respond by-delegate good intermediate delegate $long
    respond by-delegate-key good intermediate delegate $long -resp_key_id
    respond by-revoked-delegate good intermediate revoked-delegate $long
    respond by-no-delegate good intermediate no-delegate $long
    respond by-foreign-delegate good intermediate foreign-delegate $long
    respond by-old-delegate good intermediate old-delegate $long
    respond by-impostor good intermediate impostor $long
    respond no-certificates good intermediate delegate $long -resp_no_certs
    for digest in sha256 sha384 sha512; do
        digest=-$digest
        respond "digest$digest" good intermediate intermediate $long
    done
    digest=
    # A status for two certificates; and for one that the responder does not know.
    quiet openssl ocsp -issuer intermediate.pem -cert second.pem -cert good.pem -no_nonce -reqout "$work/request"
    quiet openssl ocsp -index "$work/intermediate.index" -CA intermediate.pem -rsigner intermediate.pem \
        -rkey "$work/intermediate.key" -reqin "$work/request" -respout two.ocsp $long
    sed -i "/CN=good\$/d" "$work/intermediate.index"
    respond unknown good intermediate intermediate $long
}
printf '\060\003\012\001\003' > try-later.ocsp
printf '\060\003\012\001\006' > unauthorized.ocsp
