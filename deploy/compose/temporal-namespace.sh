#!/bin/sh
# Makes the Temporal namespace that the workflows live in, with what they are found by, once the server serves.
# Safe to repeat.
set -eu
until temporal operator cluster health; do sleep 1; done
temporal operator namespace describe --namespace default ||
  temporal operator namespace create --namespace default --retention 72h
for name in Kind Namespace Name Mesh Phase Reason; do
  temporal operator search-attribute create --namespace default --name "Meshwright$name" --type Keyword
done
