BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Loading' {
    It 'has a manifest that PowerShell accepts' {
        (Test-ModuleManifest $manifest).ExportedCmdlets.Count | Should -Be (Get-Command -Module MSOnlineBackup).Count
    }

    It 'exports the cmdlets and nothing else' {
        $module = Get-Module MSOnlineBackup
        $module.ExportedCmdlets.Count | Should -BeGreaterThan 20
        $module.ExportedFunctions.Count + $module.ExportedVariables.Count + $module.ExportedAliases.Count | Should -Be 0
    }

    It 'brings nothing but the loader into the default load context' {
        $names = Invoke-FreshPowerShell "
            Import-Module '$manifest'
            `$null = New-OBPolicy
            [System.Runtime.Loader.AssemblyLoadContext]::Default.Assemblies.ForEach({ `$_.GetName().Name }) -like 'MSOnlineBackup*'
            '-'
            [System.Runtime.Loader.AssemblyLoadContext]::All.Where({ `$_.Name -eq 'MSOnlineBackup' }).Assemblies.ForEach({ `$_.GetName().Name }) -like 'MSOnlineBackup*'"
        # Those below are loaded as they are needed.
        $names | Select-Object -First 2 | Should -Be 'MSOnlineBackup.Loader', '-'
        $names | Select-Object -Skip 2 | Should -Contain 'MSOnlineBackup'
        $names | Select-Object -Skip 2 | Should -Contain 'MSOnlineBackup.Agent'
    }

    It 'uses its own version of a package that the session has another of' {
        # Assemblies of the names of those that modules like this bring, made here; the module must neither use them nor fail over them.
        foreach ($name in 'Polly.Core', 'Azure.Core') {
            Add-Type -TypeDefinition "public static class $($name.Replace('.', ''))OfAnother { }" -OutputAssembly "$TestDrive/$name.dll"
        }

        $result = Invoke-FreshPowerShell "
            'Polly.Core', 'Azure.Core' | ForEach-Object { `$null = [System.Reflection.Assembly]::LoadFrom(""$TestDrive/`$_.dll"") }
            Import-Module '$manifest'
            `$context = [System.Runtime.Loader.AssemblyLoadContext]::All.Where({ `$_.Name -eq 'MSOnlineBackup' })[0]
            `$null -ne `$context.LoadFromAssemblyName('Polly.Core').GetType('Polly.ResiliencePipeline')
            (New-OBPolicy).State"
        $result | Should -Be 'True', 'New'
    }

    It 'finds its native library: a passphrase becomes a key by Argon2id' {
        $slot = Invoke-FreshPowerShell "
            `$env:MSONLINEBACKUP_STATE = (New-Item -ItemType Directory -Force '$TestDrive/native').FullName
            Import-Module '$manifest'
            New-OBVault -Path '$TestDrive/argon' | Export-OBVaultCredential -Path '$TestDrive' | ForEach-Object { `$null = Start-OBRegistration -VaultCredentials `$_ -Confirm:`$false }
            `$null = Set-OBMachineSetting -EncryptionPassphrase (ConvertTo-SecureString -AsPlainText -Force 'a passphrase for tests') -Confirm:`$false
            (Get-Content -Raw (Get-ChildItem '$TestDrive/argon/keys' -Recurse -File) | ConvertFrom-Json).kdf"
        $slot | Select-Object -Last 1 | Should -Be argon2id
    }

    It 'can be imported again by force, and after it was removed' {
        $counts = Invoke-FreshPowerShell "
            Import-Module '$manifest'; (Get-Command -Module MSOnlineBackup).Count
            Import-Module '$manifest' -Force; (Get-Command -Module MSOnlineBackup).Count
            Import-Module '$manifest' -Force; (Get-Command -Module MSOnlineBackup).Count
            Remove-Module MSOnlineBackup; (Get-Command -Module MSOnlineBackup -ErrorAction Ignore | Where-Object { -not `$_.Module }).Count
            Import-Module '$manifest'; (Get-Command -Module MSOnlineBackup).Count
            (New-OBPolicy).State"
        $all = (Get-Command -Module MSOnlineBackup).Count
        $counts | Should -Be $all, $all, $all, 0, $all, 'New'
    }

    It 'is refused to a process of 32 bits by an error that ends the script, and loads nothing' {
        $told = Invoke-FreshPowerShell "
            try { Import-Module '$manifest' -ArgumentList `$false; 'imported' } catch {
                `$_.FullyQualifiedErrorId; `$_.CategoryInfo.Category; `$_.ErrorDetails.Message; `$_.ErrorDetails.RecommendedAction
            }
            (Get-Command -Module MSOnlineBackup | Where-Object { `$_.Module }).Count
            @([System.AppDomain]::CurrentDomain.GetAssemblies().ForEach({ `$_.GetName().Name }) -like 'MSOnlineBackup*').Count"
        $told[0] | Should -BeLike 'ProcessNot64Bit*'
        $told[1..2] | Should -Be NotInstalled, 'This is a process of 32 bits, and MSOnlineBackup runs in one of 64 bits only (x64 or arm64).'
        $told[3] | Should -BeLike 'Start the 64-bit PowerShell*'
        $told[4..5] | Should -Be 0, 0
        (Get-OBErrorHelp ProcessNot64Bit).Id | Should -Be ProcessNot64Bit
    }

    It 'lets scripts name its types' { Invoke-FreshPowerShell "Import-Module '$manifest'; [MSOnlineBackup.OBPolicy].Name; [MSOnlineBackup.CBJobState]::Failed" | Should -Be OBPolicy, Failed }

    It 'ships no System.Management.Automation' { Join-Path (Split-Path $manifest) module/bin/System.Management.Automation.dll | Should -Not -Exist }

    It 'runs under the strictest mode' { Invoke-FreshPowerShell "Set-StrictMode -Version 3; `$ErrorActionPreference = 'Stop'; Import-Module '$manifest'; (New-OBPolicy).State" | Should -Be New }

    It 'knows the type names of the original while it is imported' {
        $model = 'Microsoft.Internal.CloudBackup.ObjectModel.OMCommon'
        $result = Invoke-FreshPowerShell "
            Import-Module '$manifest'
            [$model.CBJobState]::Failed
            [$model.CBJobType]::Backup
            `$client = [Microsoft.Internal.CloudBackup.Client.Common.CBClientCommon]
            `$client::GetMachineRegistrationStatus(0)
            `$client::ConvertJobStatusToString([$model.CBJobState]::Completed)
            @(`$client::QueryJobs()).Count
            Remove-Module MSOnlineBackup
            `$null -eq ('$model.CBBackupServer' -as [type])
            Import-Module '$manifest'
            [$model.CBBackupServer].Name"
        $result | Should -Be Failed, Backup, False, Completed, '0', True, OBBackupServer
    }
}
