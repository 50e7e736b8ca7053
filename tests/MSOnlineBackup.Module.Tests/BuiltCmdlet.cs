using System.Management.Automation;
using System.Reflection;

namespace MSOnlineBackup.Module.Tests;

/// <summary>A cmdlet as the built assembly declares it.</summary>
internal sealed class BuiltCmdlet
{
    public const string AllSets = "__AllParameterSets";

    private readonly CustomAttributeData _attribute;

    private BuiltCmdlet(Type type, CustomAttributeData attribute)
    {
        Type = type;
        _attribute = attribute;
        Name = $"{attribute.ConstructorArguments[0].Value}-{attribute.ConstructorArguments[1].Value}";
        Parameters =
        [
            .. type.GetProperties().SelectMany(property => property.GetCustomAttributesData()
                .Where(data => data.AttributeType == typeof(ParameterAttribute))
                .Select(data => new BuiltParameter(property, data))),
        ];
    }

    public static IReadOnlyList<BuiltCmdlet> All { get; } =
    [
        .. typeof(OBPolicy).Assembly.GetExportedTypes()
            .SelectMany(type => type.GetCustomAttributesData()
                .Where(data => data.AttributeType == typeof(CmdletAttribute))
                .Select(data => new BuiltCmdlet(type, data)))
            .OrderBy(cmdlet => cmdlet.Name, StringComparer.Ordinal),
    ];

    public Type Type { get; }

    public string Name { get; }

    public IReadOnlyList<BuiltParameter> Parameters { get; }

    public bool SupportsShouldProcess => Named<bool?>(nameof(CmdletAttribute.SupportsShouldProcess)) ?? false;

    public ConfirmImpact ConfirmImpact => !SupportsShouldProcess
        ? ConfirmImpact.None
        : (ConfirmImpact)(Named<int?>(nameof(CmdletAttribute.ConfirmImpact)) ?? (int)ConfirmImpact.Medium);

    public IReadOnlyList<string> OutputTypes =>
    [
        .. Type.GetCustomAttributesData()
            .Where(data => data.AttributeType == typeof(OutputTypeAttribute))
            .SelectMany(data => (IEnumerable<CustomAttributeTypedArgument>)data.ConstructorArguments[^1].Value!)
            .Select(argument => TypeText.Of((Type)argument.Value!)),
    ];

    /// <summary>The names of its parameter sets; one where no parameter is bound to one.</summary>
    public IReadOnlyList<string> Sets => Parameters.Select(parameter => parameter.Set).Where(set => set != AllSets).Distinct().ToArray() is { Length: > 0 } sets
        ? sets
        : [AllSets];

    private T? Named<T>(string name) => _attribute.NamedArguments.FirstOrDefault(argument => argument.MemberName == name).TypedValue is { Value: T value }
        ? value
        : default;
}

/// <summary>A parameter in one of its sets.</summary>
internal sealed class BuiltParameter(PropertyInfo property, CustomAttributeData attribute)
{
    public string Name => property.Name;

    public Type Type => property.PropertyType;

    public string Set => Named<string>(nameof(ParameterAttribute.ParameterSetName)) ?? BuiltCmdlet.AllSets;

    public int? Position => Named<int?>(nameof(ParameterAttribute.Position));

    public bool Mandatory => Named<bool?>(nameof(ParameterAttribute.Mandatory)) ?? false;

    public string Pipeline => (Named<bool?>(nameof(ParameterAttribute.ValueFromPipeline)), Named<bool?>(nameof(ParameterAttribute.ValueFromPipelineByPropertyName))) switch
    {
        (true, true) => "ByValue, ByPropertyName",
        (true, _) => "ByValue",
        (_, true) => "ByPropertyName",
        _ => "None",
    };

    /// <summary>The values that it takes, where they are listed.</summary>
    public IReadOnlyList<string>? Values
    {
        get
        {
            Type type = Type.GetElementType() ?? (Type.IsGenericType ? Type.GetGenericArguments()[0] : Type);
            return type.IsEnum
                ? Enum.GetNames(type)
                : property.GetCustomAttributesData().FirstOrDefault(data => data.AttributeType == typeof(ValidateSetAttribute)) is { } set
                    ? [.. ((IEnumerable<CustomAttributeTypedArgument>)set.ConstructorArguments[0].Value!).Select(argument => (string)argument.Value!)]
                    : null;
        }
    }

    private T? Named<T>(string name) => attribute.NamedArguments.FirstOrDefault(argument => argument.MemberName == name).TypedValue is { Value: T value }
        ? value
        : default;
}
