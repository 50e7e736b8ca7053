# Loads the module, and does nothing else. MSOnlineBackup.Loader.dll is the only assembly of ours in the session's own load context;
# the cmdlets, the engine and all packages live in a context of their own (docs/design.md).
$loader = Join-Path $PSScriptRoot 'bin/MSOnlineBackup.Loader.dll'
if (-not (Test-Path -LiteralPath $loader)) {
    throw "The module is not built: '$loader' does not exist. Run ./build.ps1, or dotnet build, in '$(Split-Path $PSScriptRoot)'."
}

$null = [System.Reflection.Assembly]::LoadFrom($loader)
$cmdlets = Import-Module -Assembly ([MSOnlineBackup.Loader.ModuleLoadContext]::Module) -PassThru

# Without this, PowerShell finds the nested module in its cache at the next import and exports nothing (PowerShell/PowerShell#20710).
$ExecutionContext.SessionState.Module.OnRemove = { Remove-Module -ModuleInfo $cmdlets }
