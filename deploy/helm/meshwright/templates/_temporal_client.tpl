{{- /* The Deployment of a process that is a client of Temporal: watcher or worker. They differ in name and rights alone. */ -}}
{{- define "meshwright.temporal-client" -}}
{{- $tls := .root.Values.temporal.tls }}
{{- $key := .root.Values.temporal.apiKey }}
{{- $payloadKeys := .root.Values.temporal.payloadKeysSecret }}
{{- $api := .root.Values.secrets.api }}
{{- $apiClient := .root.Values.secrets.apiClient }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "meshwright.metadata" . | nindent 2 }}
spec:
  replicas: {{ .values.replicas }}
  selector:
    matchLabels:
      {{- include "meshwright.selector" . | nindent 6 }}
  template:
    metadata:
      {{- include "meshwright.pod-metadata" . | nindent 6 }}
    spec:
      serviceAccountName: {{ .name }}
      {{- include "meshwright.pod" . | nindent 6 }}
      containers:
        - {{- include "meshwright.container" . | nindent 10 }}
          args: [{{ .name }}]
          {{- if or $tls.enabled $key.secret $payloadKeys $api }}
          env:
            {{- if $tls.enabled }}
            - {name: TEMPORAL_TLS, value: "true"}
            {{- with $tls.serverName }}
            - {name: TEMPORAL_TLS_SERVER_NAME, value: {{ . | quote }}}
            {{- end }}
            {{- if $tls.caSecret }}
            - {name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: /etc/meshwright/temporal/server/ca.crt}
            {{- end }}
            {{- if $tls.clientSecret }}
            - {name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: /etc/meshwright/temporal/client/tls.crt}
            - {name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: /etc/meshwright/temporal/client/tls.key}
            {{- end }}
            {{- end }}
            {{- if $key.secret }}
            - name: TEMPORAL_API_KEY
              valueFrom:
                secretKeyRef: {name: {{ $key.secret }}, key: {{ $key.key | quote }}}
            {{- end }}
            {{- if $payloadKeys }}
            - {name: MESHWRIGHT_PAYLOAD_KEYS_FILE, value: /etc/meshwright/payload-keys/keys}
            {{- end }}
            {{- if $api }}
            - {name: MESHWRIGHT_APP_MESH_CA_FILE, value: /etc/meshwright/api/server/ca.crt}
            {{- end }}
            {{- if $apiClient }}
            - {name: MESHWRIGHT_APP_MESH_CERTIFICATE_FILE, value: /etc/meshwright/api/client/tls.crt}
            - {name: MESHWRIGHT_APP_MESH_KEY_FILE, value: /etc/meshwright/api/client/tls.key}
            {{- end }}
          {{- end }}
          envFrom:
            - configMapRef: {name: meshwright}
            - secretRef: {name: {{ .root.Values.secrets.key }}}
          ports:
            - {name: metrics, containerPort: 9090}
          {{- include "meshwright.metrics-probes" . | nindent 10 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- if $tls.caSecret }}
            - {name: temporal-server, mountPath: /etc/meshwright/temporal/server, readOnly: true}
            {{- end }}
            {{- if $tls.clientSecret }}
            - {name: temporal-client, mountPath: /etc/meshwright/temporal/client, readOnly: true}
            {{- end }}
            {{- if $payloadKeys }}
            - {name: payload-keys, mountPath: /etc/meshwright/payload-keys, readOnly: true}
            {{- end }}
            {{- if $api }}
            - {name: api-server, mountPath: /etc/meshwright/api/server, readOnly: true}
            {{- end }}
            {{- if $apiClient }}
            - {name: api-client, mountPath: /etc/meshwright/api/client, readOnly: true}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: {}
        {{- with $tls.caSecret }}
        - name: temporal-server
          secret:
            secretName: {{ . }}
            items: [{key: ca.crt, path: ca.crt}]
        {{- end }}
        {{- with $tls.clientSecret }}
        - name: temporal-client
          secret: {secretName: {{ . }}}
        {{- end }}
        {{- with $payloadKeys }}
        - name: payload-keys
          secret: {secretName: {{ . }}}
        {{- end }}
        {{- with $api }}
        - name: api-server
          secret:
            secretName: {{ . }}
            items: [{key: ca.crt, path: ca.crt}]
        {{- end }}
        {{- with $apiClient }}
        - name: api-client
          secret: {secretName: {{ . }}}
        {{- end }}
{{- end }}
