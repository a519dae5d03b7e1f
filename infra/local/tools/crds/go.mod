module parking.platform/tools/crds

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.19.1
	github.com/kedacore/keda/v2 v2.20.1
	github.com/prometheus-operator/prometheus-operator v0.87.1
	istio.io/api v1.31.1
	k8s.io/autoscaler/vertical-pod-autoscaler v1.6.0
	sigs.k8s.io/gateway-api v1.6.3
)
