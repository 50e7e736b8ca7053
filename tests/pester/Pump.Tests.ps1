BeforeAll {
    . "$PSScriptRoot/Common.ps1"

    # The pump is internal, and its work runs where no script can: both are reached through a class of our own.
    Add-Type -TypeDefinition @'
using System;
using System.Management.Automation;
using System.Threading;
using System.Threading.Tasks;

public static class PumpedWork
{
    public static bool CleanedUp;

    public static void Run(Type pumpType, PSCmdlet cmdlet, Func<object, CancellationToken, Task> work)
    {
        CleanedUp = false;
        object pump = Activator.CreateInstance(pumpType, cmdlet, new CancellationTokenSource());
        try
        {
            pumpType.GetMethod("Run").Invoke(pump, new object[] { work });
        }
        catch (System.Reflection.TargetInvocationException e)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerException);
        }
    }

    public static Func<object, CancellationToken, Task> Counting(int count) => async (pump, stop) =>
    {
        try
        {
            for (int i = 1; i <= count; i++)
            {
                Call(pump, "WriteVerbose", "number " + i);
                await (Task)Call(pump, "WriteObjectAsync", i);
                stop.ThrowIfCancellationRequested();
            }

            Call(pump, "WriteWarning", "that was all");
            Call(pump, "WriteLine", "for people");
            Call(pump, "WriteProgress", new ProgressRecord(1, "Counting", "done"));
        }
        finally
        {
            await Task.Delay(300);
            CleanedUp = true;
        }
    };

    public static Func<object, CancellationToken, Task> Failing => async (pump, stop) =>
    {
        await (Task)Call(pump, "WriteObjectAsync", "before");
        throw new InvalidOperationException("as it was thrown");
    };

    private static object Call(object pump, string method, object argument) => pump.GetType().GetMethod(method).Invoke(pump, new[] { argument });
}
'@
    $pumpType = [MSOnlineBackup.OBPolicy].Assembly.GetType('MSOnlineBackup.Cmdlets.CmdletPump')
    function Invoke-Pump {
        [CmdletBinding()]
        param($Work)
        [PumpedWork]::Run($pumpType, $PSCmdlet, $Work)
    }
}
AfterAll { Remove-TestState }

Describe 'The pump of long-running cmdlets' {
    It 'writes what the work writes, in its order, to its streams' {
        $all = Invoke-Pump ([PumpedWork]::Counting(3)) -Verbose *>&1
        $all | Where-Object { $_ -is [int] } | Should -Be 1, 2, 3
        ($all | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] }).Message | Should -Be 'number 1', 'number 2', 'number 3'
        ($all | Where-Object { $_ -is [System.Management.Automation.WarningRecord] }).Message | Should -Be 'that was all'
        "$($all | Where-Object { $_ -is [System.Management.Automation.InformationRecord] })" | Should -Be 'for people'
    }

    It 'lets the work clean up before the pipeline goes on, when nobody takes more' {
        Invoke-Pump ([PumpedWork]::Counting(1000000)) | Select-Object -First 2 | Should -Be 1, 2
        [PumpedWork]::CleanedUp | Should -BeTrue
    }

    It 'lets the work clean up when a consumer fails' {
        { Invoke-Pump ([PumpedWork]::Counting(1000000)) | ForEach-Object { throw 'consumer' } } | Should -Throw '*consumer*'
        [PumpedWork]::CleanedUp | Should -BeTrue
    }

    It 'throws what the work throws' {
        $written = [System.Collections.Generic.List[object]]::new()
        { Invoke-Pump ([PumpedWork]::Failing) | ForEach-Object { $written.Add($_) } } | Should -Throw '*as it was thrown*'
        $written | Should -Be before
    }
}
