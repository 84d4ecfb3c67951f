#!/bin/sh
# Makes a certificate authority in the current folder, ca.crt and ca.key, unless there is one, and by it a key and a
# certificate for each machine: a.crt and a.key. They are valid for ten years.
#
# Usage: certificates.sh NAME=ADDRESS…, like a=10.0.0.11 b=10.0.0.12; a machine may have several: a=10.0.0.11,10.0.1.11
set -eu
umask 077
make="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650"

[ -e ca.key ] || {
    $make -keyout ca.key.part -out ca.crt -subj "/CN=Parley's machines" -addext keyUsage=critical,keyCertSign,cRLSign
    mv ca.key.part ca.key
}
for machine; do
    name=${machine%%=*}
    addresses=$(echo "${machine#*=}" | sed 's/[^,]*/IP:&/g')
    $make -CA ca.crt -CAkey ca.key -keyout "$name.key.part" -out "$name.crt.part" -extensions usr_cert -subj "/CN=$name" \
        -addext "subjectAltName=$addresses" -addext extendedKeyUsage=serverAuth,clientAuth
    mv "$name.key.part" "$name.key"
    mv "$name.crt.part" "$name.crt"
done
