#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the keys and certificates of the TLS tests: make_certificates.sh FOLDER. Every run makes new ones.
set -eu
[ $# = 1 ] || exit 2
rm -rf "$1"
mkdir -p "$1"
cd "$1"

cat >openssl.cnf <<'END'
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[local]
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:localhost, DNS:*.example.test, IP:127.0.0.1, IP:::1, URI:https://localhost/, email:who@example.test
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[elsewhere]
extendedKeyUsage = serverAuth
subjectAltName = DNS:elsewhere.test, IP:192.0.2.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[nameless]
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[signing]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
crlnumber = crlnumber
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
rand_serial = yes
[any]
countryName = optional
organizationName = optional
commonName = supplied
END
: >index.txt
echo 01 >crlnumber

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }

# self NAME SUBJECT EXTENSIONS: a self-signed certificate.
self() {
  key "$1"
  openssl req -new -x509 -config openssl.cnf -key "$1.key" -subj "$2" -extensions "$3" -days 30 -out "$1.pem"
}

# signed NAME SUBJECT EXTENSIONS AUTHORITY START END: NAME.pem, and NAME.both with the key in front.
signed() {
  key "$1"
  openssl req -new -config openssl.cnf -key "$1.key" -subj "$2" -out "$1.csr"
  openssl ca -batch -notext -config openssl.cnf -name authority -cert "$4.pem" -keyfile "$4.key" -extensions "$3" -startdate "$5" -enddate "$6" \
    -in "$1.csr" -out "$1.pem" 2>/dev/null
  cat "$1.key" "$1.pem" >"$1.both"
}

long=20200101000000Z
far=21000101000000Z
self ca '/O=pysock/CN=the tests authority' ca
self stranger '/O=pysock/CN=an authority nobody trusts' ca
self selfsigned '/O=pysock/CN=localhost' local
signed server '/C=XX/O=pysock/CN=the server' local ca $long $far
signed client '/O=pysock/CN=the client' local ca $long $far
signed elsewhere '/O=pysock/CN=localhost' elsewhere ca $long $far
signed nameless '/O=pysock/CN=localhost' nameless ca $long $far
signed expired '/O=pysock/CN=localhost' local ca $long 20210101000000Z
signed early '/O=pysock/CN=localhost' local ca 20990101000000Z $far
signed unknown '/O=pysock/CN=localhost' local stranger $long $far
signed revoked '/O=pysock/CN=localhost' local ca $long $far
openssl ca -config openssl.cnf -name authority -cert ca.pem -keyfile ca.key -revoke revoked.pem 2>/dev/null
openssl ca -config openssl.cnf -name authority -cert ca.pem -keyfile ca.key -gencrl -crldays 30 -out ca.crl 2>/dev/null
openssl pkey -in server.key -aes256 -passout pass:secret -out encrypted.key
mkdir hashed
cp ca.pem hashed
openssl rehash hashed
: >complete
