# Every script of the project, and every piece of one in a document, keeps to the rules.
BeforeDiscovery {
    $root = (Resolve-Path "$PSScriptRoot/../..").Path
    $scripts = foreach ($file in Get-ChildItem "$root/build.ps1", "$root/MSOnlineBackup.psd1", "$root/module/*.ps*1", "$root/examples/*.ps1", "$root/tests/pester/*.ps1") {
        @{ Name = [System.IO.Path]::GetRelativePath($root, $file); Text = Get-Content $file -Raw; Kind = $file.BaseName -notlike '*.Tests' -and $file.Directory.Name -eq 'pester' ? 'part' : 'script' }
    }

    $pieces = foreach ($file in Get-ChildItem "$root/*.md", "$root/docs/*.md", "$root/docs/en-US/*.md") {
        foreach ($match in [regex]::Matches((Get-Content $file -Raw), '(?ms)^```powershell\n(.*?)^```')) {
            $line = ($file | Get-Content -Raw).Substring(0, $match.Index).Split("`n").Count
            @{ Name = "$([System.IO.Path]::GetRelativePath($root, $file)):$line"; Text = $match.Groups[1].Value; Kind = 'piece' }
        }
    }

    . "$PSScriptRoot/ScriptRules.ps1"
    $rules = $scriptRules.Keys | ForEach-Object { @{ Rule = $_ } }
}

BeforeAll {
    . "$PSScriptRoot/Common.ps1"
    . "$PSScriptRoot/ScriptRules.ps1"
    $all = Get-ChildItem "$PSScriptRoot/*.ps1" | ForEach-Object { (Read-Script (Get-Content $_ -Raw)).Tree }
}

AfterAll { Remove-TestState }

Describe '<Name>' -ForEach ($scripts + $pieces) {
    It 'keeps to the rules' {
        # Tests read those parts that others begin with.
        $script = Read-Script $Text ($Kind -eq 'part' ? $all : @())
        $findings = foreach ($rule in $scriptRules.Keys) {
            # What a document shows may go on elsewhere.
            if ($Kind -ne 'piece' -or $rule -ne 'variables that are set are used') {
                & $scriptRules[$rule] $script | ForEach-Object { "$Name, line $_ ($rule)" }
            }
        }

        $findings | Should -BeNullOrEmpty
    }
}

Describe 'The rule that <Rule>' -ForEach $rules {
    It 'finds what is against it' {
        $bad = @{
            'it can be parsed'                                                   = 'if ('
            'commands have their full names'                                     = 'gci | % Name'
            'functions have approved verbs'                                      = 'function Fetch-Thing { }'
            'variables that are set are used'                                    = '$left, $right = 1, 2; $right'
            'parameters are used'                                                = 'function Get-Thing([int] $Count) { 1 }'
            'text is not run as code'                                            = 'Invoke-Expression $text'
            'no more than two arguments go without a parameter''s name'          = 'Add-Content a b c -PassThru d'
            'an error is not swallowed'                                          = 'try { 1 } catch { }'
            'secrets are not parameters in plain text'                           = 'param([string] $Passphrase) $Passphrase'
            'who declares ShouldProcess asks, and who asks declares it'          = 'function Set-Thing { [CmdletBinding(SupportsShouldProcess)] param() 1 }'
            'commands, parameters and keywords are written as they are declared' = 'get-item -literalPath a'
            '$null stands on the left of a comparison'                           = '$a -eq $null'
            'lines end where their text ends'                                    = "1 `n2"
        }[$Rule]

        & $scriptRules[$Rule] (Read-Script $bad) | Should -Not -BeNullOrEmpty
        & $scriptRules[$Rule] (Read-Script 'param([int] $Count) $copy = $Count; if ($null -ne $copy) { Get-ChildItem -LiteralPath a | ForEach-Object Name }') | Should -BeNullOrEmpty
    }
}
