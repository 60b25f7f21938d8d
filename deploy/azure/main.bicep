// What `tocsin azure setup` makes in a resource group, for those who deploy by template.
// The application, its credential and Graph's permissions are not Azure resources: make them with
// `tocsin azure setup --no-table` without a hint, then hand the object id of its service principal here.
targetScope = 'resourceGroup'

@description('Name of the deployment, as in --name.')
@minLength(3)
@maxLength(32)
param name string = 'tocsin'

@description('Name of the Log Analytics workspace with Microsoft Sentinel, in this resource group.')
param workspaceName string

@description('Region of the workspace.')
param location string = resourceGroup().location

@description('Object id of the service principal of the application, not its client id.')
param principalId string

@description('Custom table for events; empty for none.')
param tableName string = 'SIGNL4_CL'

@description('Object id of the service principal Azure Security Insights; needed for the push hint.')
param securityInsightsPrincipalId string = ''

@description('Address of the push hint, https://…/in/sentinel/…; empty for none.')
@secure()
param hintUrl string = ''

var mark = 'made by tocsin azure: ${name}'
var responderRole = '3e150937-b8fe-4cfb-8069-0eaf05ecd056'
var withTable = !empty(tableName)
var withHint = !empty(hintUrl) && !empty(securityInsightsPrincipalId)

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource responder 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, responderRole, principalId)
  scope: workspace
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', responderRole)
    description: mark
  }
}

module events 'table.bicep' = if (withTable) {
  name: '${name}-table'
  params: {
    name: name
    workspaceName: workspaceName
    location: location
    principalId: principalId
    tableName: tableName
    mark: mark
  }
}

module hint 'hint.bicep' = if (withHint) {
  name: '${name}-hint'
  params: {
    name: name
    workspaceName: workspaceName
    location: location
    securityInsightsPrincipalId: securityInsightsPrincipalId
    hintUrl: hintUrl
    mark: mark
  }
}

output workspaceId string = workspace.properties.customerId
output ingestionEndpoint string = withTable ? events!.outputs.endpoint : ''
output ruleId string = withTable ? events!.outputs.ruleId : ''
