# A crontab of the test's own in $work, and the program that keeps it; no other is found. AfterAll { Remove-TestCrontab }
$null = New-Item -ItemType Directory "$work/bin"
Set-Content "$work/bin/crontab" @"
#!/bin/sh
case "`$1" in
    -l) cat '$work/crontab' 2> /dev/null || { echo 'no crontab for test' >&2; exit 1; } ;;
    -r) rm '$work/crontab' ;;
    *) cp "`$1" '$work/crontab' ;;
esac
"@
if ($IsLinux) { chmod +x "$work/bin/crontab" }
$path = $env:PATH
$env:PATH = "$work/bin$([System.IO.Path]::PathSeparator)$env:PATH"
$env:MSONLINEBACKUP_SCHEDULER = 'Cron'

function Remove-TestCrontab {
    $env:PATH = $path
    $env:MSONLINEBACKUP_SCHEDULER = 'None'
}
