# A server with two disk vaults that are twins, a third that stands for the cloud, and two machines with agents. Needs Agents.ps1 and Recovery.ps1.
$work = New-TestFolder
$vault = Initialize-TestMachine $work
$source = New-TestTree "$work/src"
$null = Save-TestPolicy $source
$null = Invoke-TestBackup
$passphrase = ConvertTo-SecureString 'a passphrase for tests' -AsPlainText -Force
$second = (New-OBVault "$work/second" -TwinOf $vault).Location
$cloud = (New-OBVault "$work/cloud" -TwinOf $vault).Location
New-TestMachine m1, m2, m3
if (-not (Test-Path variable:agentPackage)) {
    $agentPackage = New-TestAgentPackage 9.1.0
}

$null = Install-OBAgent m1, m2, m3 -PackagePath $agentPackage -HostKeyFingerprint $fingerprint

$policy = New-OBPolicy
$null = Add-OBFileSpec $policy (New-OBFileSpec /srv)
$null = Set-OBSchedule $policy (New-OBSchedule -DaysOfWeek Monday -TimesOfDay 21:00)
$null = Set-OBRetentionPolicy $policy (New-OBRetentionPolicy -RetentionDays 10)
