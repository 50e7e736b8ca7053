using System.Diagnostics;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Vaults.Telemetry;

/// <summary>Tells of something that takes time, while it is done: a span, a duration, and for operations events.</summary>
internal static class TracedOperation
{
    /// <summary>Does an operation, and tells of it.</summary>
    /// <param name="operation">Its name.</param>
    /// <param name="clock">The clock by which it is measured.</param>
    /// <param name="work">What is done.</param>
    public static async Task<T> RunAsync<T>(string operation, TimeProvider clock, Func<Task<T>> work)
    {
        using Activity? span = EngineTelemetry.Spans.StartActivity(operation);
        EngineEventSource.Log.OperationStart(operation);
        long start = clock.GetTimestamp();
        string outcome = "ok";
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            outcome = Fail(span, e);
            throw;
        }
        finally
        {
            EngineTelemetry.Operations.Record(clock.GetElapsedTime(start).TotalSeconds, new("operation", operation), new("outcome", outcome));
            EngineEventSource.Log.OperationStop(operation, outcome);
        }
    }

    /// <summary>Does a request to the vault, and tells of it; for where somebody listens.</summary>
    public static async ValueTask<T> RequestAsync<T>(string operation, Func<ValueTask<T>> request)
    {
        using Activity? span = EngineTelemetry.Spans.StartActivity("vault." + operation, ActivityKind.Client);
        long start = Stopwatch.GetTimestamp();
        string outcome = "ok";
        try
        {
            return await request().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            outcome = Fail(span, e);
            throw;
        }
        finally
        {
            EngineTelemetry.Requests.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, new("operation", operation), new("outcome", outcome));
        }
    }

    /// <summary>The operation does something else.</summary>
    public static void Enter(string phase)
    {
        if (Activity.Current is { } span && span.Source == EngineTelemetry.Spans)
        {
            span.AddEvent(new ActivityEvent(phase));
        }

        EngineEventSource.Log.PhaseEntered(phase);
    }

    // The message may name files, and stays here.
    private static string Fail(Activity? span, Exception failure)
    {
        string outcome = failure switch
        {
            OperationCanceledException => "stopped",
            BackupException known => known.Id.ToString(),
            _ => nameof(BackupErrorId.UnexpectedError),
        };
        span?.SetStatus(ActivityStatusCode.Error, outcome);
        span?.SetTag("error.type", outcome);
        return outcome;
    }
}
