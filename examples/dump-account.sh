#!/usr/bin/env bash
# Dumps an App Mesh account by the AWS CLI: dump-account.sh DIRECTORY
# What it writes there is what `meshwright import DIRECTORY` reads. It ends with an error if any call does.
set -euo pipefail
out=$1
mkdir -p "$out"
: >"$out/objects.json"
: >"$out/tags.json"

# describe KIND ARN ARGUMENT...: one object, and its tags, which the API gives without saying whose they are.
describe() {
  local kind=$1 arn=$2
  shift 2
  aws appmesh "describe-$kind" "$@" --output json </dev/null >>"$out/objects.json"
  aws appmesh list-tags-for-resource --resource-arn "$arn" --query "{resourceArn: '$arn', tags: tags}" \
    --output json </dev/null >>"$out/tags.json"
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
