using System.Management.Automation;

namespace MSOnlineBackup.Cmdlets;

/// <summary>
/// For cmdlets that change which specifications a draft has. Specifications may come one by one through the pipeline; the
/// draft goes on once, when all have come, so that <c>... | Set-OBPolicy</c> saves it once and whole.
/// </summary>
public abstract class FileSpecCmdlet : OBCmdlet
{
    private OBPolicy? _current;

    /// <summary>The draft that is changed, and returned.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBPolicy Policy { get; set; } = null!;

    /// <summary>The specifications, from New-OBFileSpec or Get-OBFileSpec.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    public OBFileSpec[] FileSpec { get; set; } = [];

    /// <summary>Changes the draft by one specification.</summary>
    protected abstract void Change(OBFileSpec spec);

    /// <summary>Tells what is to be known of a specification by whoever is asked, or only looks with -WhatIf.</summary>
    protected virtual void Look(OBFileSpec spec)
    {
    }

    /// <summary>What is done, in a few words: "Add 'X'".</summary>
    protected abstract string ActionOn(OBFileSpec spec);

    /// <inheritdoc/>
    protected sealed override void Process()
    {
        if (_current is not null && _current != Policy)
        {
            WriteObject(_current);
        }

        _current = Policy;
        foreach (OBFileSpec spec in FileSpec)
        {
            Look(spec);
            if (ShouldProcess(Policy.ToString(), ActionOn(spec)))
            {
                Change(spec);
            }
        }
    }

    /// <inheritdoc/>
    protected sealed override void Finish()
    {
        if (_current is not null)
        {
            WriteObject(_current);
        }
    }

    /// <summary>Whether two specifications speak of the same thing.</summary>
    private protected static bool AreSame(OBFileSpec one, OBFileSpec other) =>
        one.IsExclude == other.IsExclude
        && string.Equals(one.FileSpec, other.FileSpec, OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
}
