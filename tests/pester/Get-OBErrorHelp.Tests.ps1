BeforeAll { . "$PSScriptRoot/Common.ps1" }
AfterAll { Remove-TestState }

Describe 'Get-OBErrorHelp' {
    It 'explains an error by its name' {
        $help = Get-OBErrorHelp -Id vaultnotfound
        $help.Id | Should -Be VaultNotFound
        $help.Meaning, $help.Causes, $help.RecommendedAction | ForEach-Object { $_ | Should -Not -BeNullOrEmpty }
    }

    It 'explains an error by the number that the original gives it' { (Get-OBErrorHelp 34513).Id | Should -Contain VaultCredentialInvalid }

    It 'explains the last error of the session' {
        try { New-OBFileSpec -FileSpec Env:/PATH } catch { $null = $_ }
        (Get-OBErrorHelp).Id | Should -Be ArgumentInvalid
    }

    It 'lists all' {
        $all = Get-OBErrorHelp -All
        $all.Id | Should -Contain PassphraseRejected
        $all.Count | Should -BeGreaterThan 40
    }

    It 'says where there is none' { Assert-BackupError (Get-ErrorOf { Get-OBErrorHelp NoSuchError }) ArgumentInvalid InvalidArgument "There is no error 'NoSuchError'." }

    It 'explains what else is shown: <Code>' -TestCases @(
        @{ Code = 'SalLowDiskSpace'; Id = 'ScratchFull' }
        @{ Code = 'AuthorizationPermissionMismatch'; Id = 'VaultAccessDenied' }
        @{ Code = '403'; Id = 'VaultAccessDenied' }
        @{ Code = '403'; Id = 'MachineLimitReached' }
        @{ Code = '407'; Id = 'ProxyAuthenticationRequired' }
        @{ Code = 'UserErrorSecretExistsSoftDeleted'; Id = 'KeyVaultSecretDeleted' }
    ) { (Get-OBErrorHelp $Code).Id | Should -Contain $Id }

    It 'explains errors that only the original has: <Code>' -TestCases @(
        @{ Code = '0x1FBD3'; Id = 'MarsVersionMismatch'; Related = 'AgentOutdated' }
        @{ Code = 'SalBitmapError'; Id = 'MarsBitmap'; Related = 'SourceItemChanged' }
        @{ Code = '0x8007018b'; Id = 'MarsCloudFile'; Related = 'SourceItemUnreadable' }
        @{ Code = '-2147023504'; Id = 'MarsCorruptFile'; Related = 'SourceUnreadable' }
        @{ Code = 'shadow copy storage'; Id = 'MarsShadowStorage'; Related = 'SnapshotUnavailable' }
    ) {
        $help = Get-OBErrorHelp $Code | Where-Object Id -Like Mars*
        $help.Id | Should -Contain $Id
        ($help | Where-Object Id -EQ $Id).RelatedId | Should -Contain $Related
        ($help | Where-Object Id -EQ $Id).RelatedId | ForEach-Object { (Get-OBErrorHelp $_).Causes | Should -Not -BeNullOrEmpty }
    }

    It 'takes wildcards' { (Get-OBErrorHelp 'Proxy*').Id | Should -Be ProxyAuthenticationRequired, ProxyRefused }
}
