// CloudFront Function (runtime 2.0) on every API request of a viewer.
// Regions limit and hash by the viewer's address, so a viewer must not choose it: the header is overwritten.
// A request with credentials gets a cache partition of its own, so that no answer to it is ever reused.
// The load balancer's cookies are no credentials: they name a target, and whoever met a sticky service has them.
var BALANCER_COOKIES = ['AWSALB', 'AWSALBCORS', 'AWSALBTG', 'AWSALBTGCORS'];

function names_a_target(cookie) {
  return BALANCER_COOKIES.indexOf(cookie) >= 0;
}

function handler(event) {
  var request = event.request;
  var headers = request.headers;
  var personal = Boolean(headers.authorization) || !Object.keys(request.cookies).every(names_a_target);
  headers['x-viewer-address'] = { value: event.viewer.ip };
  headers['x-forwarded-host'] = { value: headers.host.value };
  headers['x-cache-partition'] = { value: personal ? event.context.requestId : 'anonymous' };
  return request;
}
