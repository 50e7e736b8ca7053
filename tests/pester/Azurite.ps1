# Blob Storage for tests: Azurite, the emulator, started by the script that the other tests use; after Common.ps1.

# Whether it can be started here.
function Test-Azurite {
    -not $IsWindows -and (Get-Command bash, node, npm -CommandType Application -ErrorAction Ignore | Select-Object -ExpandProperty Name -Unique).Count -eq 3
}

# Starts it: an object with Url, that of its account, and Process. It ends with its input, so also when this session is killed.
function Start-TestAzurite {
    $start = [System.Diagnostics.ProcessStartInfo]::new('bash', [string[]] "$PSScriptRoot/../azurite/start.sh")
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $process = [System.Diagnostics.Process]::Start($start)
    while ($null -ne ($line = $process.StandardOutput.ReadLine())) {
        if ($line -match 'successfully listens on (\S+)') {
            return [pscustomobject]@{ Url = "$($Matches[1])/devstoreaccount1"; Process = $process }
        }
    }

    throw 'Azurite did not start.'
}

function Stop-TestAzurite($Azurite) {
    if ($Azurite) {
        $Azurite.Process.StandardInput.Close()
        $Azurite.Process.WaitForExit()
    }
}

# A shared access signature of a container, by the emulator's published key.
function New-TestSas([string] $Container, [string] $Permissions = 'rcl', [datetime] $Expires = [datetime]::UtcNow.AddHours(1)) {
    $key = [Convert]::FromBase64String('Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==')
    $end = $Expires.ToString('yyyy-MM-ddTHH:mm:ssZ', [cultureinfo]::InvariantCulture)
    $version = '2021-12-02'
    $toSign = $Permissions, '', $end, "/blob/devstoreaccount1/$Container", '', '', '', $version, 'c', '', '', '', '', '', '', '' -join "`n"
    $hash = [System.Security.Cryptography.HMACSHA256]::HashData($key, [System.Text.Encoding]::UTF8.GetBytes($toSign))
    "sv=$version&se=$([uri]::EscapeDataString($end))&sr=c&sp=$Permissions&sig=$([uri]::EscapeDataString([Convert]::ToBase64String($hash)))"
}
