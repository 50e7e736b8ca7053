BeforeDiscovery {
    $pages = Get-ChildItem "$PSScriptRoot/../../docs/en-US" -Filter *.md
    $commands = @($pages.BaseName | Where-Object { $_ -notlike 'about_*' })
    $topics = @($pages.BaseName | Where-Object { $_ -like 'about_*' })
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $automatic = 'WhatIf', 'Confirm' + [System.Management.Automation.Cmdlet]::CommonParameters
}

AfterAll { Remove-TestState }

Describe 'Help of the module' {
    It 'has a page for each cmdlet, and no other' {
        $pages = Get-ChildItem "$PSScriptRoot/../../docs/en-US" -Filter *-*.md | ForEach-Object BaseName | Sort-Object

        (Get-Command -Module MSOnlineBackup).Name | Sort-Object | Should -Be $pages
    }
}

# Before the cmdlets: once Get-Help has searched for a name, it shows topics that it met as a list.
Describe 'Get-Help <_>' -ForEach $topics {
    It 'shows the topic' {
        Get-Help $_ | Out-String | Should -Match "TOPIC\s+$_\s+SHORT DESCRIPTION"
    }
}

Describe 'Get-Help <_>' -ForEach $commands {
    BeforeAll {
        $name = $_
        $help = Get-Help $name -Full
        $command = Get-Command $name
    }

    It 'shows a synopsis and a description' {
        # Without help, the synopsis is the syntax.
        $help.Synopsis | Should -Not -BeNullOrEmpty
        $help.Synopsis | Should -Not -Match "\b$name\b"
        ($help.description | Out-String).Trim() | Should -Not -BeNullOrEmpty
    }

    It 'shows each set of parameters' {
        @($help.syntax.syntaxItem).Count | Should -Be $command.ParameterSets.Count
    }

    It 'describes each parameter' {
        foreach ($parameter in $command.Parameters.Keys | Where-Object { $_ -notin $automatic }) {
            $described = @($help.parameters.parameter | Where-Object name -EQ $parameter)
            $described.Count | Should -BeGreaterThan 0 -Because "-$parameter is a parameter"
            ($described[0].description | Out-String).Trim() | Should -Not -BeNullOrEmpty -Because "-$parameter is described"
        }
    }

    It 'shows an example' {
        $examples = @($help.examples.example)
        $examples.Count | Should -BeGreaterThan 0
        $examples[0].code | Should -Match ([regex]::Escape($name))
    }

    It 'says what comes in and what goes out' {
        $help.inputTypes.inputType | Should -Not -BeNullOrEmpty
        $help.returnValues.returnValue | Should -Not -BeNullOrEmpty
    }

    It 'leads to help that is there' {
        $first, $others = $help.relatedLinks.navigationLink
        $first.uri | Should -Be "$((Import-PowerShellDataFile $manifest).PrivateData.PSData.ProjectUri)/blob/main/docs/en-US/$name.md"
        foreach ($link in $others.linkText) {
            Get-Help $link | Should -Not -BeNullOrEmpty -Because "$link is linked"
        }
    }
}
