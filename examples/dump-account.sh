#!/usr/bin/env bash
# Dumps an App Mesh account by the AWS CLI: dump-account.sh [--force] DIRECTORY
# What it writes there is what `meshwright import DIRECTORY` reads. It ends with an error if any call does, and then nothing
# is there that was not before. A dump that is there already is replaced only with --force, and only by a whole one.
set -euo pipefail
usage="usage: dump-account.sh [--force] DIRECTORY"
force=
if [ "${1-}" = --force ]; then
  force=1
  shift
fi
if [ $# -ne 1 ] || [ -z "$1" ] || [ "${1#-}" != "$1" ]; then
  echo "$usage" >&2
  exit 2
fi
out=$1
for file in "$out/objects.json" "$out/tags.json"; do
  if [ -e "$file" ] && [ -z "$force" ]; then
    echo "dump-account.sh: $file is there already; --force replaces the dump once another is whole" >&2
    exit 2
  fi
done
mkdir -p "$out"
objects=$out/.objects.$$ tags=$out/.tags.$$ # `meshwright import` does not read these
trap 'rm -f "$objects" "$tags"' EXIT
: >"$objects"
: >"$tags"

# describe KIND ARN ARGUMENT...: one object, and its tags, which the API gives without saying whose they are.
describe() {
  local kind=$1 arn=$2
  shift 2
  aws appmesh "describe-$kind" "$@" --output json </dev/null >>"$objects"
  aws appmesh list-tags-for-resource --resource-arn "$arn" --query "{resourceArn: '$arn', tags: tags}" \
    --output json </dev/null >>"$tags"
}

# rows KINDS MEMBER NAME ARGUMENT...: name and ARN of each, one a line.
rows() {
  local kinds=$1 member=$2 name=$3
  shift 3
  aws appmesh "list-$kinds" "$@" --query "$member[].[$name, arn]" --output text </dev/null
}

# each KIND KINDS MEMBER NAME FLAG ARGUMENT...: dumps all of a kind; the names are left in $found.
each() {
  local kind=$1 kinds=$2 member=$3 name=$4 flag=$5 listed object arn
  shift 5
  listed=$(rows "$kinds" "$member" "$name" "$@")
  found=()
  while IFS=$'\t' read -r object arn; do
    [ -n "$arn" ] || continue
    describe "$kind" "$arn" "$@" "$flag" "$object"
    found+=("$object")
  done <<<"$listed"
}

each mesh meshes meshes meshName --mesh-name
meshes=(${found[@]+"${found[@]}"})
for mesh in ${meshes[@]+"${meshes[@]}"}; do
  of=(--mesh-name "$mesh")
  each virtual-node virtual-nodes virtualNodes virtualNodeName --virtual-node-name "${of[@]}"
  each virtual-service virtual-services virtualServices virtualServiceName --virtual-service-name "${of[@]}"
  each virtual-router virtual-routers virtualRouters virtualRouterName --virtual-router-name "${of[@]}"
  routers=(${found[@]+"${found[@]}"})
  for router in ${routers[@]+"${routers[@]}"}; do
    each route routes routes routeName --route-name "${of[@]}" --virtual-router-name "$router"
  done
  each virtual-gateway virtual-gateways virtualGateways virtualGatewayName --virtual-gateway-name "${of[@]}"
  gateways=(${found[@]+"${found[@]}"})
  for gateway in ${gateways[@]+"${gateways[@]}"}; do
    each gateway-route gateway-routes gatewayRoutes gatewayRouteName --gateway-route-name "${of[@]}" \
      --virtual-gateway-name "$gateway"
  done
done

mv "$objects" "$out/objects.json"
mv "$tags" "$out/tags.json"
