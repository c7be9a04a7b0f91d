{{- /* Fragments that the processes share. Most take (dict "root" $ "name" PROCESS "values" VALUES-OF-THE-PROCESS). */ -}}

{{- define "meshwright.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* By which pods are found; must never change, as a Deployment's selector cannot. */ -}}
{{- define "meshwright.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/part-of: meshwright
{{- end }}

{{- define "meshwright.release" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* Those and further ones, which win. Takes (dict "root" $ "labels" LABELS). */ -}}
{{- define "meshwright.labelled" -}}
{{- toYaml (mergeOverwrite (include "meshwright.release" .root | fromYaml) (.labels | default dict)) }}
{{- end }}

{{- /* Name, namespace and labels of an object that belongs to a process. */ -}}
{{- define "meshwright.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "meshwright.selector" . | nindent 2 }}
  {{- include "meshwright.release" .root | nindent 2 }}
{{- end }}

{{- define "meshwright.budget" -}}
{{- if gt (int .values.replicas) 1 }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "meshwright.metadata" . | nindent 2 }}
spec:
  minAvailable: 1
  selector:
    matchLabels:
      {{- include "meshwright.selector" . | nindent 6 }}
{{- end }}
{{- end }}

{{- /* Labels of the pods; a change of their settings is a change of the pods, so that they read it. */ -}}
{{- define "meshwright.pod-metadata" -}}
labels:
  {{- include "meshwright.selector" . | nindent 2 }}
annotations:
  {{- if eq .name "control-plane" }}
  checksum/settings: {{ printf "%s %s" (include "meshwright.control-plane-settings" .root) (toJson .values.quotas) | sha256sum }}
  {{- else }}
  checksum/settings: {{ include "meshwright.settings" .root | sha256sum }}
  {{- end }}
{{- end }}

{{- /* What all pods are: unprivileged, and spread over nodes. */ -}}
{{- define "meshwright.pod" -}}
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "meshwright.selector" . | nindent 8 }}
{{- end }}

{{- define "meshwright.container" -}}
name: {{ .name }}
image: {{ include "meshwright.image" .root | quote }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- /*
Of the processes whose only listener beside their work is that of metrics and health, which answers before they wait for
anybody: to wait for Temporal or for Kubernetes makes them unready, and is no reason to kill them.
*/ -}}
{{- define "meshwright.metrics-probes" -}}
startupProbe:
  tcpSocket: {port: metrics}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  tcpSocket: {port: metrics}
  periodSeconds: 10
readinessProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 5
{{- end }}

{{- /* An account with a ClusterRole of the same name, which the caller writes. */ -}}
{{- define "meshwright.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "meshwright.metadata" . | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: meshwright-{{ .name }}
  labels:
    {{- include "meshwright.release" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: meshwright-{{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ .name }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
