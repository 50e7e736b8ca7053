# Loads the module, and does nothing else. MSOnlineBackup.Loader.dll is the only assembly of ours in the session's own load context;
# the cmdlets, the engine and all packages live in a context of their own (docs/design.md).
# Whether the process has 64 bits is asked of .NET; a test says something else.
param([bool] $Is64Bit = [System.Environment]::Is64BitProcess)

if (-not $Is64Bit) {
    $fault = [System.Management.Automation.ErrorRecord]::new(
        [System.PlatformNotSupportedException]::new('This is a process of 32 bits, and MSOnlineBackup runs in one of 64 bits only (x64 or arm64).'),
        'ProcessNot64Bit', [System.Management.Automation.ErrorCategory]::NotInstalled, $null)
    $fault.ErrorDetails = [System.Management.Automation.ErrorDetails]::new($fault.Exception.Message)
    $fault.ErrorDetails.RecommendedAction = 'Start the 64-bit PowerShell, and import the module there. [Environment]::Is64BitProcess says what a session is.'
    throw $fault
}

$loader = Join-Path $PSScriptRoot 'bin/MSOnlineBackup.Loader.dll'
if (-not (Test-Path -LiteralPath $loader)) {
    throw "The module is not built: '$loader' does not exist. Run ./build.ps1, or dotnet build, in '$(Split-Path $PSScriptRoot)'."
}

$null = [System.Reflection.Assembly]::LoadFrom($loader)
$assembly = [MSOnlineBackup.Loader.ModuleLoadContext]::Module
$cmdlets = Import-Module -Assembly $assembly -PassThru

# Scripts for the original name its types. A name that somebody else gave a meaning keeps it.
$accelerators = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')
$originals = $assembly.GetType('MSOnlineBackup.Compatibility.OriginalTypes')::All
$added = @($originals.Keys | Where-Object { -not $accelerators::Get.ContainsKey($_) })
foreach ($name in $added) {
    $null = $accelerators::Add($name, $originals[$name])
}

# New-PSDrive is PowerShell's own, which knows nothing of recovery points.
Register-ArgumentCompleter -CommandName New-PSDrive -ParameterName Root -ScriptBlock {
    $assembly.GetType('MSOnlineBackup.Completion.DriveRootCompleter')::new().CompleteArgument($args[0], $args[1], $args[2], $args[3], $args[4])
}

# Without the first, PowerShell finds the nested module in its cache at the next import and exports nothing (PowerShell/PowerShell#20710).
$ExecutionContext.SessionState.Module.OnRemove = {
    Remove-Module -ModuleInfo $cmdlets
    Register-ArgumentCompleter -CommandName New-PSDrive -ParameterName Root -ScriptBlock { }
    foreach ($name in $added) {
        $null = $accelerators::Remove($name)
    }
}
