// Cmdlets to be read from this assembly's metadata. The reader knows attributes by their names, so these need no PowerShell.
namespace MSOnlineBackup.Module.Tests.Help.Things;

internal enum ThingKind
{
    Big,
    Small,
}

[AttributeUsage(AttributeTargets.Class)]
internal sealed class CmdletAttribute(string verb, string noun) : Attribute
{
    public string VerbName { get; } = verb;

    public string NounName { get; } = noun;

    public string DefaultParameterSetName { get; set; } = "";

    public bool SupportsShouldProcess { get; set; }
}

[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
internal sealed class ParameterAttribute : Attribute
{
    public string ParameterSetName { get; set; } = "";

    public bool Mandatory { get; set; }

    public int Position { get; set; } = int.MinValue;

    public bool ValueFromPipeline { get; set; }

    public bool ValueFromPipelineByPropertyName { get; set; }
}

[AttributeUsage(AttributeTargets.Property)]
internal sealed class AliasAttribute(params string[] names) : Attribute
{
    public IReadOnlyList<string> Names { get; } = names;
}

[AttributeUsage(AttributeTargets.Property)]
internal sealed class SupportsWildcardsAttribute : Attribute;

internal readonly struct SwitchParameter;

internal sealed class OBThing;

internal abstract class ThingCommand
{
    [Parameter]
    [Alias("f", "ff")]
    public SwitchParameter Force { get; set; }
}

[Cmdlet("Get", "OBThing", DefaultParameterSetName = "ByName")]
internal sealed class GetOBThingCommand : ThingCommand
{
    [Parameter(ParameterSetName = "ByName", Mandatory = true, Position = 0)]
    [SupportsWildcards]
    public string[] Name { get; set; } = [];

    [Parameter(ParameterSetName = "ByName", Position = 1, ValueFromPipelineByPropertyName = true)]
    public ThingKind Kind { get; set; }

    [Parameter(ParameterSetName = "ByThing", Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public OBThing? Thing { get; set; }

    public string NoParameter { get; set; } = "";
}

[Cmdlet("Set", "OBThing", SupportsShouldProcess = true)]
internal sealed class SetOBThingCommand
{
    [Parameter]
    public List<DayOfWeek>? Days { get; set; }

    [Parameter]
    public DateTime? Until { get; set; }
}
