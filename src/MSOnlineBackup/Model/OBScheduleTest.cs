namespace MSOnlineBackup;

/// <summary>How something stands that a schedule needs.</summary>
public enum OBScheduleResult
{
    /// <summary>Nothing is amiss.</summary>
    Pass,

    /// <summary>The schedule runs, and somebody should look at it.</summary>
    Warning,

    /// <summary>The schedule does not run.</summary>
    Fail,

    /// <summary>There is no such thing here.</summary>
    NotApplicable,
}

/// <summary>Something that a schedule needs in order to run, and how it stands.</summary>
public sealed class OBScheduleTest
{
    /// <summary>What was checked: Registered, Scheduler, Account, Program, ModulePath, ExecutionPolicy, OtherProducts.</summary>
    public string Id { get; internal init; } = "";

    /// <summary>What the policy protects: files, or the system state.</summary>
    public string Policy { get; internal init; } = "";

    /// <summary>How it stands.</summary>
    public OBScheduleResult Result { get; internal init; }

    /// <summary>The same as a sentence.</summary>
    public string Cause { get; internal init; } = "";

    /// <summary>What to do; empty where nothing is needed.</summary>
    public string Fix { get; internal init; } = "";
}
