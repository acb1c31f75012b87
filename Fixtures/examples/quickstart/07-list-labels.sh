curl http://localhost:3100/loki/api/v1/labels \
  -H "X-Scope-OrgID: demo"
