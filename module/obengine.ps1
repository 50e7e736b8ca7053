# obengine in PowerShell's own runtime: what runs the module's background jobs. A machine with PowerShell need have no other .NET.
$null = [System.Reflection.Assembly]::LoadFrom((Join-Path $PSScriptRoot 'bin/MSOnlineBackup.Loader.dll'))
exit [MSOnlineBackup.Loader.ModuleLoadContext]::Run($args)
