namespace MSOnlineBackup.VirtualMachines.Machines;

/// <summary>How the tags of recovery points of machines begin.</summary>
public static class MachineTags
{
    /// <summary>The id of the moment that a point has in common with those of the other machines of its group follows.</summary>
    public const string Barrier = "machine-barrier:";

    /// <summary>Of a point that a policy has made: whether a schedule wanted it, and whose policy it was, follow.</summary>
    public const string Run = "machine-run:";
}
