#!/bin/sh
# Makes the Temporal namespace that the workflows live in, once the server serves.
set -eu
until temporal operator cluster health; do sleep 1; done
temporal operator namespace describe --namespace default ||
  temporal operator namespace create --namespace default --retention 72h
