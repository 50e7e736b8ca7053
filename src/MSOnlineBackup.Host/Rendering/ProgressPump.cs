using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Host.Rendering;

/// <summary>Reads a job's counters at the pace of a display until the job ends.</summary>
internal static class ProgressPump
{
    public static async Task<T> FollowAsync<T>(Func<JobProgress> read, IProgressDisplay display, TimeProvider time, Func<Task<T>> work)
    {
        using var ticks = new PeriodicTimer(display.Interval, time);
        Task pumping = PumpAsync(read, display, time, ticks);
        try
        {
            return await work().ConfigureAwait(false);
        }
        finally
        {
            ticks.Dispose();
            await pumping.ConfigureAwait(false);
            await display.CloseAsync().ConfigureAwait(false);
        }
    }

    private static async Task PumpAsync(Func<JobProgress> read, IProgressDisplay display, TimeProvider time, PeriodicTimer ticks)
    {
        var estimate = new ProgressEstimate(time);
        while (await ticks.WaitForNextTickAsync().ConfigureAwait(false))
        {
            display.Show(estimate.Read(read()));
        }
    }
}
